package install

import (
	"path"
	"slices"
	"strings"

	"one-ft/pkg/text"
	"one-ft/pkg/wording"
)

// Class is what a hook may do to VMs and hosts.
type Class string

// The classes of commands, the one that counts first when a line has several.
const (
	KnownRecoverer Class = "recoverer" // it acts on VMs or hosts
	Ours           Class = "ours"      // it runs an executable of one-ft
	Unknown        Class = "unknown"   // nothing is known of what it does
	Harmless       Class = "harmless"  // it leaves VMs and hosts alone
)

// Runner is what a hook runs.
type Runner struct {
	Class Class
	// Program is an executable of ours; else what decided, as it is written in the hook; "" for nothing at all.
	Program string
	// Path is Program with its directory.
	Path string
	// Call is what acts on VMs or hosts in a script, and Line where; else "" and 0.
	Call string
	Line int
}

// Message says who recovers VMs with it.
func (r Runner) Message() wording.Message {
	program := short(r.Program)
	switch {
	case r.Class == Ours:
		return wording.Of(wording.HookOurs)
	case r.Class == Harmless:
		return wording.Of(wording.HookHarmless, program)
	case r.Class == Unknown:
		return wording.Of(wording.HookUnknown, program)
	case r.Call != "":
		return wording.Of(wording.HookScript, program, r.Line, short(r.Call))
	case path.Base(r.Program) == stockRecoverer:
		return wording.Of(wording.HookStock)
	case isRecoverer(path.Base(r.Program)):
		return wording.Of(wording.HookNamed, program)
	}
	return wording.Of(wording.HookCalls, program)
}

// stockRecoverer is the script that OpenNebula ships.
const stockRecoverer = "host_error.rb"

// Classify decides what the command of a hook with its arguments does, behind the shells and wrappers that are known, and
// as a shell splits it: oned gives both to one (LocalCommand of CommandManager.rb, 4.4 to 7.4). What is not known for certain
// is Unknown. script gives the text of a file, "" when it is none that can be read; nil looks at no file. Of a script counts
// only what it surely does: that it is Unknown says nothing.
func Classify(line string, script func(path string) string) Runner {
	left := maxScripts
	return classifier{scripts: &left, script: script}.line(line)
}

// classifier decides what a line of a shell runs.
type classifier struct {
	script  func(path string) string // nil: no file is looked at
	scripts *int                     // how many files may still be looked at
	depth   int                      // of lines within lines
	inside  bool                     // of a script
}

// What a line may cost.
const (
	maxDepth   = 6 // lines within lines
	maxScripts = 8 // files
)

func (c classifier) line(line string) (found Runner) {
	if c.depth++; c.depth > maxDepth {
		return Runner{Class: Unknown, Program: line}
	}
	found.Class = Harmless
	for _, words := range simpleCommands(line) {
		found = worse(found, c.words(words))
	}
	return found
}

// worse is the one that counts; the zero value counts least.
func worse(a, b Runner) Runner {
	rank := func(r Runner) int { return slices.Index([]Class{"", Harmless, Unknown, Ours, KnownRecoverer}, r.Class) }
	if rank(b) > rank(a) || rank(b) == rank(a) && a.Program == "" {
		return b
	}
	return a
}

// wrapper is a program that runs the one that is named behind it.
type wrapper struct {
	values string // its options that take the next word
	lines  string // its options whose next word is a line for a shell; of a shell itself all with a c
	words  int    // that stand before the program
}

// words decides about a simple command.
func (c classifier) words(words []string) Runner {
	for len(words) > 0 && isAssignment(words[0]) {
		words = words[1:]
	}
	if len(words) == 0 {
		return Runner{Class: Harmless}
	}
	name := path.Base(words[0])
	if w, known := wrappers()[name]; known {
		return c.wrapped(w, words)
	}
	if isInterpreter(name) {
		return c.interpreted(words)
	}
	return c.program(words)
}

// assignment is one of a variable before a command.
var assignment = text.Pattern(`^[A-Za-z_][A-Za-z0-9_]*=`)

// shellLineOption is -c of a shell, alone or with others.
var shellLineOption = text.Pattern(`^-[a-z]*c[a-z]*$`)

func isAssignment(word string) bool { return assignment().MatchString(word) }

func isInterpreter(name string) bool {
	return slices.Contains([]string{"ruby", "python", "perl", "php", "node", "lua"}, strings.TrimRight(name, "0123456789."))
}

// wrappers are those that are seen through, by their names: also words of the shell.
func wrappers() map[string]wrapper {
	all := map[string]wrapper{
		"env": {values: "-u,--unset,-C,--chdir", lines: "-S,--split-string"}, "sudo": {values: "-u,--user,-g,--group,-h,--host,-p,--prompt,-C,-r,-t,-T,-D,-R"},
		"doas": {values: "-u,-C"}, "nice": {values: "-n,--adjustment"}, "ionice": {values: "-c,--class,-n,--classdata"},
		"timeout": {values: "-k,--kill-after,-s,--signal", words: 1}, "stdbuf": {values: "-i,-o,-e"}, "flock": {values: "-w,--timeout,-E", lines: "-c,--command", words: 1},
		"su": {values: "-s,--shell,-g,-G", lines: "-c,--command", words: 1}, "runuser": {values: "-u,--user,-g,-G,-s", lines: "-c,--command"},
		"ssh": {values: "-i,-l,-o,-p,-F,-J,-E,-c,-b", words: 1}, "xargs": {values: "-n,-I,-P,-L,-d,-a,-E,-s"}, "chrt": {words: 1}, "taskset": {words: 1},
		"systemd-run": {values: "-u,--unit,-p,--property,--uid,--gid,-E,--setenv,-M"},
	}
	for _, word := range append(list(shells+",nohup,setsid,exec,command,builtin,time,eval,source,.,busybox,unbuffer,coproc"), wordsOfShell()...) {
		all[word] = wrapper{}
	}
	return all
}

const shells = "sh,bash,dash,ksh,zsh,ash"

func isShell(name string) bool { return slices.Contains(list(shells), name) }

// wrapped decides about what stands behind a wrapper.
func (c classifier) wrapped(w wrapper, words []string) Runner {
	name, rest := path.Base(words[0]), words[1:]
	skip := w.words
	for len(rest) > 0 {
		option := rest[0]
		lined := slices.Contains(list(w.lines), option) || isShell(name) && shellLineOption().MatchString(option)
		switch {
		case lined && len(rest) > 1:
			return worse(c.line(rest[1]), c.behind(rest[2:]))
		case slices.Contains(list(w.values), option) && len(rest) > 1:
			rest = rest[2:]
		case option != "-" && strings.HasPrefix(option, "-"), isAssignment(option), option == "-" && len(rest) > 1:
			rest = rest[1:]
		case skip > 0:
			skip, rest = skip-1, rest[1:]
		case name == "ssh" || name == "eval":
			return c.line(strings.Join(rest, " "))
		default:
			return c.words(rest)
		}
	}
	if slices.Contains(wordsOfShell(), name) {
		return Runner{Class: Harmless}
	}
	return Runner{Class: Unknown, Program: words[0]} // it runs what it reads, or nothing
}

// wordsOfShell may stand before a command, or alone on a line.
func wordsOfShell() []string { return list("if,then,elif,else,while,until,do,!,{") }

// list are words with commas between them.
func list(words string) []string { return strings.Split(words, ",") }

// interpreted decides about a program in another language.
func (c classifier) interpreted(words []string) Runner {
	for i, word := range words[1:] {
		switch {
		case (word == "-e" || word == "-c") && i+2 < len(words):
			if call, _ := calls(words[i+2]); call != "" {
				return Runner{Class: KnownRecoverer, Program: words[0] + " " + word, Call: call, Line: 1}
			}
			return Runner{Class: Unknown, Program: words[0] + " " + word}
		case !strings.HasPrefix(word, "-"):
			return c.program(words[i+1:])
		}
	}
	return Runner{Class: Unknown, Program: words[0]}
}

// program decides about a program that is no wrapper.
func (c classifier) program(words []string) Runner {
	name, args := path.Base(words[0]), words[1:]
	switch {
	case name == hostError || name == vmFailure || name == vmUnknown:
		return Runner{Class: Ours, Program: name, Path: words[0]}
	case isRecoverer(name):
		return Runner{Class: KnownRecoverer, Program: words[0], Path: words[0]}
	case name == "onevm" || name == "onehost":
		return clientCall(name, args)
	case name == "oneft", slices.Contains(harmless(), name) && slices.Contains([]string{".", "/bin", "/usr/bin", "/sbin", "/usr/sbin", "/usr/lib"}, path.Dir(words[0])):
		return Runner{Class: Harmless, Program: words[0]}
	}
	found := Runner{Class: Unknown, Program: words[0], Path: words[0]}
	if c.inside {
		return found
	}
	found = worse(found, c.content(words[0]))
	return worse(c.behind(args), found)
}

// behind looks for what acts on VMs among the arguments of a program that is not known; what is none of that is Unknown.
func (c classifier) behind(args []string) (found Runner) {
	for i, word := range args {
		r := Runner{}
		if strings.ContainsAny(word, " \t;|&\n") {
			r = c.line(word)
		} else if name := path.Base(word); name == "onevm" || name == "onehost" || isRecoverer(name) || program(word) != "" {
			r = c.program(args[i:])
		} else if call := apiCall().FindString(word); call != "" {
			r = Runner{Class: KnownRecoverer, Program: call}
		}
		if r.Class == KnownRecoverer || r.Class == Ours {
			found = worse(r, found)
		}
	}
	return found
}

// harmless are programs of the system that notify people, write logs, or only print.
func harmless() []string {
	return list("mail,mailx,s-nail,mutt,sendmail,msmtp,logger,systemd-cat,wall,write,notify-send,zabbix_sender,send_nsca,snmptrap," +
		"echo,printf,cat,tee,date,hostname,true,false,:,test,[,[[,touch,sleep,grep,egrep,cut,tr,head,tail,sort,uniq,wc,jq,base64,xmllint,basename,dirname,mktemp," +
		"cd,export,set,umask,ulimit,read,wait,exit,return,fi,done,esac,},local,shift,trap")
}

// What the clients of OpenNebula do, by their verbs (src/cli/onevm, src/cli/onehost of 4.4 to 7.4).
var (
	vmVerbs = list("recover,boot,resume,restart,resubmit,delete,delete-recreate,terminate,terminate-hard,shutdown,cancel,poweroff,reboot,reset," +
		"resched,unresched,migrate,livemigrate,migrate-live,deploy,stop,suspend,undeploy,hold,release")
	hostVerbs = list("enable,disable,offline,delete,flush,forceupdate")
	readVerbs = list("list,show,top,monitoring")
)

// clientCall decides about onevm and onehost.
func clientCall(name string, args []string) Runner {
	verbs := vmVerbs
	if name == "onehost" {
		verbs = hostVerbs
	}
	if i := slices.IndexFunc(args, func(word string) bool { return slices.Contains(verbs, word) }); i >= 0 {
		return Runner{Class: KnownRecoverer, Program: name + " " + args[i]}
	}
	if slices.ContainsFunc(args, func(word string) bool { return slices.Contains(readVerbs, word) }) {
		return Runner{Class: Harmless, Program: name}
	}
	return Runner{Class: Unknown, Program: strings.TrimSpace(name + " " + strings.Join(args[:min(len(args), 1)], ""))}
}

// isRecoverer reports whether a file is called like OpenNebula's host_error.rb, or a copy of it: host_error_site.rb,
// host_error.rb.custom, sp_host_error.rb. One whose name says that it notifies people may be something else.
func isRecoverer(name string) bool {
	parts := strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return r == '_' || r == '-' || r == '.' || r == '~' })
	for i, part := range parts {
		if slices.Contains([]string{"mail", "notify", "notifier", "notification", "alert", "alarm", "log", "report", "sms", "slack"}, part) {
			return false
		}
		if part == "hosterror" || part == "error" && i > 0 && parts[i-1] == "host" {
			return !slices.ContainsFunc(parts[i+1:], func(p string) bool { return p == "mail" || p == "notify" || p == "alert" || p == "log" })
		}
	}
	return false
}

// What scripts in other languages do: OpenNebula's clients in a string, calls of its API, and of its Ruby library.
var (
	apiCall    = text.Pattern(`one\.vm\.(?:action|recover|migrate|deploy)\b`)
	scriptCall = text.Pattern(`\bonevm\s+(?:--?\S+\s+)*(?:recover|boot|resume|restart|resubmit|delete|terminate|resched|migrate|deploy)\b|` +
		apiCall().String() + `|\bvm\.(?:recover|delete_recreate|resubmit|delete|boot|resume|resched|migrate|deploy)\b`)
)

// content decides by the text of a file. Only what surely acts on VMs counts.
func (c classifier) content(file string) (found Runner) {
	if c.script == nil || *c.scripts == 0 {
		return Runner{}
	}
	*c.scripts--
	source := c.script(file)
	first, _, _ := strings.Cut(source, "\n")
	if strings.HasPrefix(first, "#!") && !slices.ContainsFunc(strings.Fields(first[2:]), func(word string) bool { return isShell(path.Base(word)) }) {
		if call, line := calls(source); call != "" {
			return Runner{Class: KnownRecoverer, Program: file, Path: file, Call: call, Line: line}
		}
		return Runner{}
	}
	inner := classifier{inside: true, depth: c.depth}
	number := 0
	for line := range strings.Lines(source) {
		number++
		switch r := inner.line(line); r.Class {
		case KnownRecoverer:
			return Runner{Class: KnownRecoverer, Program: file, Path: file, Call: r.Program, Line: number}
		case Ours:
			found = Runner{Class: Ours, Program: r.Program, Path: file}
		}
	}
	return found
}

// calls finds the first call that acts on VMs, outside of comments that have a line for themselves.
func calls(source string) (call string, line int) {
	for l := range strings.Lines(source) {
		line++
		if found := scriptCall().FindString(l); found != "" && !strings.HasPrefix(strings.TrimSpace(l), "#") {
			return found, line
		}
	}
	return "", 0
}
