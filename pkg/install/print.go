package install

import (
	"strings"

	"one-ft/pkg/one"
)

// Print gives what an admin would write by hand: lines for oned.conf (4.4 to 5.8), or for
// 5.10 and later the content of one file for each hook, each below a comment with the command
// that takes it.
func Print(hooks []Hook, v one.Version) string {
	var b strings.Builder
	if !UsesPool(v) {
		for i, h := range hooks {
			if i > 0 {
				b.WriteString("\n")
			}
			b.WriteString(strings.Join(h.stanza(), "\n") + "\n")
		}
		return b.String()
	}
	for i, h := range hooks {
		if i > 0 {
			b.WriteString("\n")
		}
		b.WriteString("# onehook create " + h.Name + ".hook\n" + h.template())
	}
	return b.String()
}
