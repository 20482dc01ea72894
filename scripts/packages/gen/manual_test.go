package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"

	"one-ft/pkg/app"
	"one-ft/pkg/config"
)

// sample is a program with all kinds of flags, and commands.
func sample() *cli.Command {
	return &cli.Command{
		Name: "sample", Usage: "a sample",
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "own", Aliases: []string{"o"}, Usage: "the tool's own"},
			&app.ValuesFlag{Values: []string{"fast", "slow", "never"}, StringFlag: cli.StringFlag{Name: "how", Usage: "`HOW` it is *done*", Value: "fast"}},
			&cli.StringSliceFlag{Name: "page", Usage: "write [this] `FILE`; may be repeated"},
			&cli.StringFlag{Name: "dir", Usage: "`DIRECTORY` of it"},
			&cli.BoolFlag{Name: "secret-word", Hidden: true},
		},
		Subcommands: []*cli.Command{{
			Name: "list", Usage: "show all", Flags: []cli.Flag{&cli.IntFlag{Name: "limit", Usage: "at most `NUMBER`"}},
			Subcommands: []*cli.Command{{Name: "show", Usage: "show one", ArgsUsage: "NUMBER", Flags: []cli.Flag{&cli.BoolFlag{Name: "whole", Usage: "all of it"}}}},
		}},
	}
}

const sampleReadme = `# sample: a sample

## Synopsis

    sample VM -a

## Description

It [links](../other.md#part), and has a table:

| code | what | more |
|---|---|---|
| 0 | a\|b | done. |

## Options

| option | what |
|---|---|
| --gone | of the README |

## Exit codes

None.
`

func TestPage(t *testing.T) {
	m := manual{section: 8, date: "2023-11-14", version: "1.0"}
	text, err := m.page(sampleReadme, options(sample()), "Exit codes")
	if err != nil {
		t.Fatal(err)
	}
	page := string(text)
	for _, want := range []string{
		`.TH SAMPLE 8 "2023-11-14" "one-ft 1.0" "one-ft"`, ".SH NAME\nsample \\- a sample\n", ".SH SYNOPSIS\n", ".SH DESCRIPTION\nIt links, and",
		".TP\n0\nwhat: a|b. more: done.\n", ".SH OPTIONS\n", ".TP\n\\fB\\-\\-own\\fP, \\fB\\-o\\fP\nThe tool's own.\n",
		".TP\n\\fB\\-\\-how\\fP \\fIHOW\\fP\nHOW it is *done*\\&. Default: fast.\n", ".SS sample list show\n", "\\fB\\-\\-whole\\fP", ".SH EXIT CODES\n",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("not on the page: %s", want)
		}
	}
	if strings.Contains(page, "secret") || strings.Contains(page, "gone") || strings.Contains(page, "../other") {
		t.Error("hidden flags, the README's options or links are on the page")
	}
	sound(t, text)
	if t.Failed() {
		t.Log(page)
	}
	for _, bad := range []string{"", "sample: a sample\n", "# sample\n", "# sample: a sample\n\n## Description\n"} {
		if _, err := m.page(bad, "", "Exit codes"); err == nil {
			t.Errorf("a page of %q", bad)
		}
	}
}

func TestCompletions(t *testing.T) {
	t.Chdir("../../..")
	for shell, wants := range map[string][]string{
		"bash": {"'sample --how') mapfile -t COMPREPLY < <(compgen -W 'fast slow never' ", "'sample --page') compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f ", "<(compgen -d ", "'sample list show') words='--whole --help -h'"},
		"zsh":  {"#compdef sample\n", `'*--page[write \[this\] FILE; may be repeated]:FILE:_files'`, ":HOW:(fast slow never)'", "'(--own -o)'{--own,-o}'[the tool'\\''s own]'", "_files -/'", "_sample_list_show() {"},
		"fish": {" -l own -s o -d 'the tool\\'s own'\n", " -l how -x -a 'fast slow never' ", " -l page -r -F ", "-a '(__fish_complete_directories)'", "-n '__fish_seen_subcommand_from list; and __fish_seen_subcommand_from show' -l whole"},
	} {
		made, err := completion(shell, sample())
		if err != nil {
			t.Fatal(err)
		}
		text := string(made)
		for _, want := range append(wants, "limit", "version") {
			if !strings.Contains(text, want) {
				t.Errorf("no %s in\n%s", want, text)
			}
		}
		if strings.Contains(text, "secret") {
			t.Errorf("hidden flags are completed: %s", text)
		}
	}
}

// sound checks that mandoc, where it is installed, has nothing against a page.
func sound(t *testing.T, page []byte) {
	t.Helper()
	if _, err := exec.LookPath("mandoc"); err != nil {
		return
	}
	cmd := exec.CommandContext(t.Context(), "mandoc", "-T", "lint", "-W", "warning")
	cmd.Stdin = strings.NewReader(string(page))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("mandoc: %v\n%s", err, out)
	}
}

// TestDocuments makes all that packages hold: each page has each flag, or each key of the configuration.
func TestDocuments(t *testing.T) {
	t.Chdir("../../..")
	dir := t.TempDir()
	if _, err := made(t, "documents", dir, "1.0"); err != nil {
		t.Fatal(err)
	}
	for _, p := range executables() {
		section := map[bool]string{true: ".1", false: ".8"}[p.Name == "oneft"]
		page := readFile(t, filepath.Join(dir, "man", p.Name+section))
		sound(t, []byte(page))
		for _, c := range newCommand(p).All() {
			if _, err := app.Read(t.Context(), c.Command, nil); err != nil {
				t.Errorf("%s: %v", c.Path(), err)
			}
			for _, d := range c.Options() {
				for _, shell := range []string{page, readFile(t, filepath.Join(dir, "bash", p.Name)), readFile(t, filepath.Join(dir, "zsh", "_"+p.Name))} {
					if !strings.Contains(strings.ReplaceAll(shell, `\-`, "-"), d.Names[0]) {
						t.Errorf("a document of %s has no %s", c.Path(), d.Names[0])
					}
				}
			}
		}
	}
	for _, name := range []string{config.Name, config.IsolationName} {
		page := readFile(t, filepath.Join(dir, "man", name+".5"))
		sound(t, []byte(page))
		page = strings.NewReplacer(`\-`, "-", `\&`, "").Replace(page)
		example := readFile(t, filepath.Join("scripts", name))
		for _, line := range regexp.MustCompile(`(?m)^#(?:\S|  ).*`).FindAllString(example, -1) {
			if line = strings.TrimSpace(strings.ReplaceAll(line[1:], `\`, `\\`)); !strings.Contains(page, line) {
				t.Errorf("%s: %s is not on the page", name, line)
			}
		}
		for _, key := range map[string][]string{
			config.Name:          {"wait", "storm.share", "fence[].hosts, fence[].clusters", "fence[].levels[].devices[].password_file", "notify[].on", "state_dir"},
			config.IsolationName: {"strict", "power_off", "run_dir"},
		}[name] {
			if !strings.Contains(page, `.TP`+"\n"+`\fB`+key+`\fP`+"\n") {
				t.Errorf("%s: no part about %s", name, key)
			}
		}
	}
}

// TestExamples: the examples on the pages of the configurations are read.
func TestExamples(t *testing.T) {
	for name, load := range map[string]func(string) error{
		config.Name: func(path string) error { _, err := config.Load(path, ""); return err },
		config.IsolationName: func(path string) error {
			s, err := config.LoadIsolation(path, "")
			if err != nil {
				return err
			}
			if strings.Contains(readFile(t, path), "lease: 150s") {
				return s.Check(true)
			}
			return s.Check(false)
		},
	} {
		_, text, _ := strings.Cut(readFile(t, filepath.Join("..", name+".md")), "## Examples\n")
		text, _, _ = strings.Cut(text, "\n## ")
		examples := 0
		for paragraph := range strings.SplitSeq(text, "\n\n") {
			if !strings.HasPrefix(paragraph, "    ") {
				continue
			}
			examples++
			path := filepath.Join(t.TempDir(), name)
			if err := os.WriteFile(path, []byte(strings.ReplaceAll("\n"+paragraph+"\n", "\n    ", "\n")), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := load(path); err != nil {
				t.Errorf("%s: %v", paragraph, err)
			}
		}
		if examples != 3 {
			t.Errorf("%s: %d examples", name, examples)
		}
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
