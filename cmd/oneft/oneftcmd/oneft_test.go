package oneftcmd

import (
	"bytes"
	"errors"
	"os"
	"regexp"
	"strings"
	"testing"

	"one-ft/pkg/app"
	"one-ft/pkg/incident"
	"one-ft/pkg/wording"
)

// call runs oneft and returns its exit code and what it printed.
func call(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, problems bytes.Buffer
	env := app.Env{Args: append([]string{"oneft"}, args...), Stdout: &out, Stderr: &problems, Getenv: func(string) string { return "" }}
	code = Run(t.Context(), env)
	return code, out.String(), problems.String()
}

func TestIncidents(t *testing.T) {
	dir := t.TempDir()
	j, err := incident.OpenJournal(dir + "/incidents")
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		c, err := j.Begin(incident.Record{Kind: "host", ID: 3, Name: "node03", Tool: "host_error", Call: []string{"3", "-r", "n"}})
		if err != nil {
			t.Fatal(err)
		}
		c.Event(incident.StepGuard, -1, wording.Info, wording.Of(wording.Trouble, errors.New("a\x1b[2Jb")))
		c.End(incident.Done, "no VMs on the host")
	}
	for _, c := range []struct {
		args []string
		code int
		says string // on stdout, or on stderr with a code
	}{
		{[]string{"incidents"}, 0, "\n2         host 3 (node03)"},
		{[]string{"incidents", "--limit", "1"}, 0, "\n3         host 3 (node03)"},
		{[]string{"incidents", "--json"}, 0, `"incident": 1,`},
		{[]string{"incidents", "show", "2"}, 0, `a\x1b[2Jb`},
		{[]string{"incidents", "show", "2", "--json"}, 0, `"incident": 2,`},
		{[]string{"incidents", "show", "--json", "2"}, 0, `"incident": 2,`},
		{[]string{"incidents", "show", "2", "--html", "-"}, 0, "<svg"},
		{[]string{"incidents", "show", "4"}, 2, "there is no such incident; oneft incidents lists them"},
		{[]string{"incidents", "show"}, 2, "takes the number of one incident"},
		{[]string{"incidents", "show", "1", "2"}, 2, "takes the number of one incident"},
		{[]string{"incidents", "show", "2", "--json", "--html", "-"}, 2, "contradict"},
		{[]string{"incidents", "show", "2", "--xml"}, 2, "--xml"},
		{[]string{"incidents", "12"}, 2, "oneft incidents show 12 shows one"},
		{[]string{"incidents", "--limit", "-1"}, 2, "--limit -1"},
		{[]string{"help"}, 0, "NAME:\n   oneft - "},
		{[]string{"help", "drill"}, 0, "NAME:\n   oneft drill - "},
		{[]string{"help", "incidents", "show"}, 0, "NAME:\n   oneft incidents show - "},
		{[]string{"version"}, 0, "oneft version "},
		{[]string{"help", "dril"}, 2, `"dril" is not a command; did you mean oneft drill?`},
		{[]string{"reboot"}, 2, `"reboot" is not a command`},
		{[]string{"incidents", "show", "2", "--config", "/nonexistent"}, 2, "/nonexistent"},
	} {
		args := c.args
		if args[0] == "incidents" {
			args = append(args[:len(args):len(args)], "--state-dir", dir)
		}
		if c.args[0] == "incidents" && len(c.args) > 1 && c.args[1] == "12" {
			args = []string{"incidents", "--state-dir", dir, "12"}
		}
		code, out, problems := call(t, args...)
		text := out
		if c.code != 0 {
			text = problems
		}
		if code != c.code || !strings.Contains(text, c.says) || c.code != 0 && strings.Count(problems, "\n") != 1 {
			t.Errorf("%q: exit code %d\n%s%s", args, code, out, problems)
		}
	}
	for _, fresh := range []string{t.TempDir(), t.TempDir() + "/none"} {
		for args, says := range map[string]string{"incidents": "no incidents yet in " + fresh + "/incidents", "incidents --json": "[]\n", "incidents show 3": ""} {
			code, out, problems := call(t, append(strings.Fields(args), "--state-dir", fresh)...)
			if says == "" && (code != 2 || !strings.Contains(problems, "there is no incident 3: no incidents yet in "+fresh)) || says != "" && (code != 0 || !strings.HasPrefix(out, says) || problems != "" || strings.Contains(out, "not there yet") != (strings.HasSuffix(fresh, "none") && args == "incidents")) {
				t.Errorf("%s in %s: %d, %s%s", args, fresh, code, out, problems)
			}
		}
	}
}

// TestEveryCommandIsDescribed: the synopsis and the table of the document name each command.
func TestEveryCommandIsDescribed(t *testing.T) {
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range Command().Subcommands {
		if c.Hidden {
			continue
		}
		synopsis := regexp.MustCompile(`(?m)^    oneft (.* \| )?` + c.Name + `( |$)`)
		table := regexp.MustCompile("(?m)^\\| .*`" + c.Name + "( import)?`.* \\|$")
		if !synopsis.Match(readme) || !table.Match(readme) {
			t.Errorf("cmd/oneft/README.md does not name %s in its synopsis and in its table", c.Name)
		}
	}
}
