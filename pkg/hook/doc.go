// Package hook turns what a hook executable is given into an Event.
//
// oned hands over a host or a VM in several forms: its ID among the arguments (4.4 to 5.8), a template in base64 among the
// arguments (all versions), or all arguments and the template as one line on stdin (5.10 and later, with ARGUMENTS_STDIN).
// Admins type an ID. The two steps, the same for every executable, with the parsing of the flags between them:
//
//	words, err := hook.Words(ctx, os.Args[1:], os.Stdin)
//	event, yesNo, err := hook.Parse(hook.Host, positionals)
//
// The package does no I/O except reading stdin in Words, and it never writes anything. Every error about what was given is a
// *cli.UsageError: one line that also names the fix.
//
// What an Event says is a hint from the moment the hook was started. Only the kind and the ID may be relied on; read the
// object from oned before acting.
package hook
