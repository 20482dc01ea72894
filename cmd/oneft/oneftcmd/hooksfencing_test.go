package oneftcmd

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/urfave/cli/v2"

	"one-ft/pkg/app"
	"one-ft/pkg/config"
)

// What an admin has configured stays, unless a flag says another value; and nothing is written that nobody
// has said.
func TestPlanFencing(t *testing.T) {
	const tells = "tells"
	for _, c := range []struct {
		flag, configured string
		attended, yes    bool
		want             string // what is written
	}{
		{want: tells},
		{attended: true},
		{attended: true, yes: true, want: "required"},
		{configured: "auto", attended: true, yes: true},
		{configured: "off"},
		{flag: "required", want: "required"},
		{flag: "required", configured: "off", attended: true, want: "required"},
		{flag: "required", configured: "required"},
		{flag: "auto", want: "auto"},
		{flag: "keep", attended: true, yes: true},
		{flag: "keep"},
	} {
		path := filepath.Join(t.TempDir(), config.Name)
		var text string
		if c.configured != "" {
			text = "fencing: " + c.configured + "\n"
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		var words []string
		if c.flag != "" {
			words = []string{"--fencing", c.flag}
		}
		flags, err := app.Read(t.Context(), &cli.Command{Name: "install", Flags: []cli.Flag{fencingFlag()}}, words)
		if err != nil {
			t.Fatal(err)
		}
		file, err := config.Load(path, "")
		if err != nil {
			t.Fatal(err)
		}
		asked := false
		s := app.Session{Cli: flags, Config: file}
		if c.attended {
			s.Confirm = func(context.Context, app.Question) bool { asked = true; return c.yes }
		}
		plan, err := planFencing(t.Context(), s, true)
		got := ""
		if plan.fresh != nil {
			got = plan.text[len(plan.text)-1][len("+fencing: "):]
		} else if len(plan.text) > 0 {
			got = tells
		}
		if err != nil || got != c.want || asked != (c.attended && c.flag == "" && c.configured == "") {
			t.Errorf("%+v: %q, asked %t, %v", c, got, asked, err)
		}
	}
}
