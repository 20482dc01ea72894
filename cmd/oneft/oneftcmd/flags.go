package oneftcmd

import (
	"flag"

	"github.com/urfave/cli/v2"
)

// The flags of cli for help and version are global, and parsing writes into them. With these
// several oneft can run in one process.
func init() {
	for _, f := range []*cli.Flag{&cli.HelpFlag, &cli.VersionFlag} {
		if b, is := (*f).(*cli.BoolFlag); is {
			*f = unwritten{b}
		}
	}
}

// unwritten is a flag that parsing does not write into; its value is in the flag set only.
type unwritten struct{ *cli.BoolFlag }

// Apply implements cli.Flag.
func (f unwritten) Apply(set *flag.FlagSet) error {
	for _, name := range f.Names() {
		set.Bool(name, false, f.Usage)
	}
	return nil
}
