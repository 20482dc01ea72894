package app

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"

	"one-ft/pkg/config"
	"one-ft/pkg/hook"
)

// help is an example of a help with all that a page makes of one.
const help = `sample VM -a|-b [options]

   .dots, 'quotes', back\slashes and "more" are shown as they are,
   in lines that are filled.

   By hand:
     sample 3 --own       do it

   As a hook:
     NAME = "sample",
       COMMAND = "\sample"

   Exit codes: 0 done, 1 not done.`

// flagsOfAllKinds are the flags of the sample.
func flagsOfAllKinds() []cli.Flag {
	return []cli.Flag{
		&cli.BoolFlag{Name: "own", Aliases: []string{"o"}, Usage: "the tool's own"},
		&cli.StringFlag{Name: "how", Usage: "`HOW` it is done: fast (at once), slow or never", DefaultText: "fast"},
		&cli.StringSliceFlag{Name: "page", Usage: "write [this] `FILE`; may be repeated"},
		&cli.StringFlag{Name: "dir", Usage: "`DIRECTORY` of it"},
		&cli.BoolFlag{Name: "secret-word", Hidden: true},
	}
}

// document runs a tool with all kinds of flags and returns what it prints.
func document(t *testing.T, words ...string) string {
	t.Helper()
	w := newWorld(t, nil)
	w.vars["SOURCE_DATE_EPOCH"] = "1700000000"
	w.tool.Examples, w.tool.Flags = help, flagsOfAllKinds()
	w.env.Args = append([]string{"sample"}, words...)
	if code := Run(t.Context(), w.env, w.tool); code != ExitDone || w.stderr.Len() > 0 || w.session != nil {
		t.Fatalf("%q: exit code %d: %s", words, code, w.stderr.String())
	}
	return w.stdout.String()
}

func TestPage(t *testing.T) {
	page := document(t, "--print-man")
	for _, want := range []string{
		`.TH "SAMPLE" 8 "2023-11-14" "one-ft `,
		".SH NAME\nsample \\- a sample\n",
		".SH SYNOPSIS\n\\fBsample\\fP VM \\-a|\\-b [options]\n",
		".SH DESCRIPTION\n\\&.dots, \\(aqquotes\\(aq, back\\(rsslashes and \\(dqmore\\(dq are shown as they\nare, in lines that are filled.\n",
		".TP\n\\fB\\-\\-own\\fP, \\fB\\-o\\fP\nThe tool\\(aqs own.\n",
		"\\fB\\-\\-how\\fP \\fIHOW\\fP\nHOW it is done: fast (at once), slow or never. Default: fast.\n",
		"\\fB\\-\\-parallel\\fP \\fINUMBER\\fP\nAct on this NUMBER of VMs at the same time, 1 to 12. Default: 8.\n",
		".SH EXAMPLES\nBy hand:\n.PP\n.RS 4\n.nf\nsample 3 \\-\\-own       do it\n.fi\n.RE\n.PP\nAs a hook:\n.PP\n.RS 4\n.nf\nNAME = \\(dqsample\\(dq,\n  COMMAND = \\(dq\\(rssample\\(dq\n.fi\n.RE\n",
		".SH EXIT STATUS\n0 done, 1 not done.\n",
		".SH FILES\n", ".SH ENVIRONMENT\n", "\\fBONE_AUTH\\fP", "\\fBONE_LOCATION\\fP",
		".BR oneft (1),\n.BR one\\-ft.yaml (5),\n",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("not on the page: %s", want)
		}
	}
	if strings.Contains(page, "secret") || strings.Contains(page, "print\\-man") {
		t.Error("hidden flags are on the page")
	}
	sound(t, page)
	if t.Failed() {
		t.Log(page)
	}
}

// Each flag of --help is on the page and in each completion, and --help shows no hidden ones.
func TestDocumentsHaveAllFlags(t *testing.T) {
	shown := document(t, "--help")
	if strings.Contains(shown, "print-") {
		t.Errorf("hidden flags are shown: %s", shown)
	}
	var names []string
	for _, f := range slices.Concat(flagsOfAllKinds(), CommonFlags(), []cli.Flag{&cli.BoolFlag{Name: "help"}, &cli.BoolFlag{Name: "version"}}) {
		if f.Names()[0] == "secret-word" {
			continue
		}
		if !strings.Contains(shown, "--"+f.Names()[0]) {
			t.Errorf("--help does not show %s", f.Names()[0])
		}
		names = append(names, f.Names()[0])
	}
	page, bash, zsh, fish := document(t, "--print-man"), document(t, "--print-completion", "bash"), document(t, "--print-completion", "zsh"), document(t, "--print-completion", "fish")
	for _, name := range names {
		if !strings.Contains(page, `\fB`+quoted("--"+name)+`\fP`) {
			t.Errorf("the page has no --%s", name)
		}
		if !strings.Contains(bash, "--"+name) || !strings.Contains(zsh, "--"+name) || !strings.Contains(fish, " -l "+name+" ") {
			t.Errorf("a completion has no --%s", name)
		}
	}
	for _, text := range []string{bash, zsh, fish} {
		if strings.Contains(text, "secret") || strings.Contains(text, "print-") {
			t.Errorf("hidden flags are completed: %s", text)
		}
	}
	for text, wants := range map[string][]string{
		bash: {"'sample --how') mapfile -t COMPREPLY < <(compgen -W 'fast slow never' ", "'sample --page') compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f ", "<(compgen -d "},
		zsh:  {"#compdef sample\n", `'*--page[write \[this\] FILE; may be repeated]:FILE:_files'`, ":HOW:(fast slow never)'", "'(--own -o)'{--own,-o}'[the tool'\\''s own]'", "_files -/'"},
		fish: {" -l own -s o -d 'the tool\\'s own'\n", " -l how -x -a 'fast slow never' ", " -l page -r -F ", "-a '(__fish_complete_directories)'"},
	} {
		for _, want := range wants {
			if !strings.Contains(text, want) {
				t.Errorf("no %s in\n%s", want, text)
			}
		}
	}
}

func TestAllowed(t *testing.T) {
	for usage, want := range map[string]string{
		"`WHEN` to prove it: auto (if configured, else not), required (no proof), off": "auto required off",
		"`ACTION` for a VM: boot or none":                                              "boot none",
		"`ADDRESS` of oned: host, host:port":                                           "",
		"write to this `FILE`; - for stderr":                                           "",
		"a thing: one":                                                                 "",
	} {
		if got := strings.Join(allowedOf(usage), " "); got != want {
			t.Errorf("%s: %q", usage, got)
		}
	}
}

// A tool with commands documents each.
func TestCommands(t *testing.T) {
	var out, wrong bytes.Buffer
	env := Env{Stdout: &out, Getenv: func(string) string { return "" }}
	call := func(words ...string) (string, error) {
		out.Reset()
		a := &cli.App{
			Name: "many", Usage: "does things", UsageText: "many list          shows them\n   many list show 3   shows one\n\n   Exit codes: 0 done.", Version: "1", Writer: &out, ErrWriter: &wrong,
			Flags: DocFlags(), HideHelpCommand: true, ExitErrHandler: func(*cli.Context, error) {},
			Action: func(c *cli.Context) error {
				if done, err := Docs(c, env, FrontEndManual(1)); done {
					return err
				}
				return Usagef("nothing to do")
			},
			Commands: []*cli.Command{CompletionCommand(env), {
				Name: "list", Usage: "show all", Flags: []cli.Flag{&cli.IntFlag{Name: "limit", Usage: "at most `NUMBER`"}},
				Subcommands: []*cli.Command{{Name: "show", Usage: "show one", ArgsUsage: "NUMBER", Flags: []cli.Flag{&cli.BoolFlag{Name: "whole", Usage: "all of it"}}}},
			}, {Name: "inner", Hidden: true}},
		}
		err := a.RunContext(context.Background(), append([]string{"many"}, words...))
		return out.String(), err
	}
	page, err := call("--print-man")
	if err != nil {
		t.Fatal(err)
	}
	sound(t, page)
	for _, want := range []string{"\\fBmany list show\\fP [options] NUMBER\n", ".SH MANY LIST SHOW\nShow one.\n", "\\fB\\-\\-whole\\fP", ".SH EXAMPLES\n.RS 4\n.nf\nmany list          shows them\nmany list show 3   shows one\n.fi"} {
		if !strings.Contains(page, want) {
			t.Errorf("not on the page: %s\n%s", want, page)
		}
	}
	for shell, want := range map[string]string{"bash": "'many list show') words='--whole --help -h'", "zsh": "_many_list_show()", "fish": "complete -c many -n '__fish_seen_subcommand_from list; and __fish_seen_subcommand_from show' -l whole"} {
		visible, err := call("completion", shell)
		hidden, _ := call("--print-completion", shell)
		if err != nil || visible != hidden || !strings.Contains(visible, want) || strings.Contains(visible, "inner") {
			t.Errorf("%s: %v\n%s", shell, err, visible)
		}
	}
	for _, words := range [][]string{{"completion"}, {"completion", "ksh"}, {"--print-completion", "csh"}, {"completion", "bash", "zsh"}} {
		if text, err := call(words...); err == nil || text != "" || !strings.Contains(err.Error(), "bash, zsh") {
			t.Errorf("%q: %v, %s", words, err, text)
		}
	}
}

// sound checks that a page is what man can show, by what is known of man(7), and by mandoc
// where it is installed.
func sound(t *testing.T, page string) {
	t.Helper()
	filled := true
	for i, line := range strings.Split(strings.TrimSuffix(page, "\n"), "\n") {
		macro, _, _ := strings.Cut(line, " ")
		switch {
		case line == ".nf":
			filled = false
		case line == ".fi":
			filled = true
		case strings.HasPrefix(line, ".") && !slices.Contains([]string{".TH", ".SH", ".SS", ".PP", ".TP", ".IP", ".RS", ".RE", ".BR", ".br", ".nh", ".ad"}, macro):
			t.Errorf("line %d begins with an unknown macro: %s", i+1, line)
		case line == "" && filled:
			t.Errorf("line %d is empty", i+1)
		case strings.HasPrefix(line, "'"):
			t.Errorf("line %d is a macro that nobody meant: %s", i+1, line)
		}
		for _, r := range line {
			if r < ' ' || r > '~' {
				t.Errorf("line %d holds %U: %s", i+1, r, line)
			}
		}
	}
	if !filled {
		t.Error("the page ends in text that is not filled")
	}
	if _, err := exec.LookPath("mandoc"); err == nil && strings.Contains(page, `8 "2023`) {
		cmd := exec.CommandContext(t.Context(), "mandoc", "-T", "lint", "-W", "warning")
		cmd.Stdin = strings.NewReader(page)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("mandoc: %v\n%s", err, out)
		}
	}
}

// The pages of the configurations hold each key that the types have, and their examples are read.
func TestConfigPage(t *testing.T) {
	env := Env{Getenv: func(string) string { return "1700000000" }}
	for name, load := range map[string]func(string) error{
		config.Name: func(path string) error { _, err := config.LoadNamed(path); return err },
		config.IsolationName: func(path string) error {
			s, err := config.LoadIsolationNamed(path)
			if err == nil && !strings.Contains(readFile(t, path), "lease: 150s") {
				return s.Check()
			} else if err == nil {
				return s.CheckCron()
			}
			return err
		},
	} {
		example := readFile(t, filepath.Join("..", "..", "scripts", name))
		page, err := ConfigPage(name, example, env)
		if err != nil {
			t.Fatal(err)
		}
		sound(t, page)
		for _, part := range config.Explain(example).Parts {
			if !strings.Contains(page, "\n.SH "+quoted(strings.ToUpper(part.Title))+"\n") {
				t.Errorf("%s: no part %s", name, part.Title)
			}
			for _, s := range part.Settings {
				for _, key := range s.Keys {
					if !strings.Contains(page, bold(key)) {
						t.Errorf("%s: %s is not on the page", name, key)
					}
				}
				for _, line := range s.Lines {
					if !strings.Contains(page, "\n"+quoted(line)+"\n") {
						t.Errorf("%s: %s is not on the page", name, line)
					}
				}
			}
		}
		for _, x := range configTexts()[name].examples {
			path := filepath.Join(t.TempDir(), name)
			if err := os.WriteFile(path, []byte(x.Text+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := load(path); err != nil {
				t.Errorf("%s %v", x.Word, err)
			}
			if !strings.Contains(page, quoted(strings.SplitN(x.Text, "\n", 2)[0])) {
				t.Errorf("%s: not on the page: %s", name, x.Text)
			}
		}
	}
	if _, err := ConfigPage("other.yaml", "", env); err == nil {
		t.Error("a page of nothing")
	}
	if _, err := ConfigPage(config.Name, "wait: 90s\n", env); err == nil {
		t.Error("a page of an example that explains nothing")
	}
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// A template that is not empty is no reason to print documents.
func TestDocumentsOnlyWhenAsked(t *testing.T) {
	w := newWorld(t, fake{Text: "done"})
	w.tool.Object = hook.VM
	if code := w.run("7"); code != ExitDone || strings.Contains(w.stdout.String(), ".TH") {
		t.Errorf("exit code %d: %s", code, w.stdout.String())
	}
}
