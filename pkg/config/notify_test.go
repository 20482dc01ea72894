package config

import (
	"fmt"
	"strings"
	"testing"
)

func TestResumeErrors(t *testing.T) {
	for text, want := range map[string]string{
		"resume:":                               `f:1: resume: no value; allowed is a mapping with failed, hosts, suspended or unknown`,
		"resume: {vms: none}":                   `f:1: resume: unknown key "vms"; allowed is failed, hosts, suspended or unknown`,
		"resume: {host: none}":                  `f:1: resume: unknown key "host"; did you mean "hosts"?`,
		"resume: {hosts: retry}":                `f:1: resume.hosts: "retry" is not known; allowed is recreate, delete, migrate or none`,
		"resume: {hosts: off}":                  `f:1: resume.hosts: "off" is not known; allowed is recreate, delete, migrate or none`,
		"resume: {suspended: y}":                `f:1: resume.suspended: "y" is not known; allowed is true or false`,
		"resume: {unknown: recreate}":           `f:1: resume.unknown: "recreate" is not known; allowed is boot or none`,
		"resume: {failed: migrate}":             `f:1: resume.failed: "migrate" is not known; allowed is recreate, retry, delete or none`,
		"resume: {failed: boot}":                `f:1: resume.failed: "boot" is not known; allowed is recreate, retry, delete or none`,
		"resume: {suspended: true, hosts: }":    `f:1: resume.hosts: no value; allowed is recreate, delete, migrate or none`,
		"resume:\n  hosts: none\n  hosts: none": `f:3: resume.hosts: given twice, first in line 2`,

		"resume:\n  hosts: none\n  suspended: true": `f:3: resume.suspended: contradicts hosts in line 2; allowed is suspended: true only with hosts recreate, delete or migrate`,
		"resume:\n  suspended: true\n  hosts: none": `f:3: resume.hosts: contradicts suspended in line 2; allowed is suspended: true only with hosts recreate, delete or migrate`,
	} {
		refused(t, text, private, want)
	}
	for _, text := range []string{"{hosts: none, suspended: false}", "{hosts: delete, suspended: true}", "{suspended: true}", "{}"} {
		loaded(t, "resume: "+text)
	}
}

func TestNotifyErrors(t *testing.T) {
	const list = `a list of commands, such as [{command: [/usr/local/bin/tell, --pager]}]`
	const program = `a list of an absolute path and arguments, such as [/usr/local/bin/tell, --pager]`
	const words = `silent, begin, hold, end or problem`
	const on = "notify: [{command: [/a], on: "
	for text, want := range map[string]string{
		"notify:":                                   `f:1: notify: no value; allowed is ` + list,
		"notify: []":                                `f:1: notify: an empty list; allowed is ` + list,
		"notify: {command: [/a]}":                   `f:1: notify: a mapping; allowed is ` + list,
		"notify: [[/a]]":                            `f:1: notify[0]: a list; allowed is a mapping with command, on or timeout`,
		"notify: [{}]":                              `f:1: notify[0]: no command; allowed is a command with an absolute path, such as [/usr/local/bin/tell, --pager]`,
		"notify: [{on: [end]}]":                     `f:1: notify[0]: no command; allowed is a command with an absolute path, such as [/usr/local/bin/tell, --pager]`,
		"notify: [{command: /a}]":                   `f:1: notify[0].command: a single value; allowed is ` + program,
		"notify: [{command: []}]":                   `f:1: notify[0].command: an empty list; allowed is ` + program,
		"notify: [{command: [tell]}]":               `f:1: notify[0].command: the program is not an absolute path; allowed is ` + program,
		"notify: [{command: [/a, {b: c}]}]":         `f:1: notify[0].command[1]: a mapping; allowed is a text`,
		"notify: [{comand: [/a]}]":                  `f:1: notify[0]: unknown key "comand"; did you mean "command"?`,
		"notify: [{command: [/a], timeout: 30}]":    `f:1: notify[0].timeout: "30" has no unit; allowed is 1s to 10m, such as 30s`,
		"notify: [{command: [/a], timeout: 999ms}]": `f:1: notify[0].timeout: "999ms" is out of range; allowed is 1s to 10m`,
		"notify: [{command: [/a], timeout: 10m1s}]": `f:1: notify[0].timeout: "10m1s" is out of range; allowed is 1s to 10m`,
		on + "end}]":                                `f:1: notify[0].on: a single value; allowed is a list of silent, begin, hold, end and problem, such as [silent, hold, end]`,
		on + "[]}]":                                 `f:1: notify[0].on: an empty list; allowed is a list of silent, begin, hold, end and problem, such as [silent, hold, end]`,
		on + "[all]}]":                              `f:1: notify[0].on[0]: "all" is not known; allowed is ` + words,
		on + "[end, digest]}]":                      `f:1: notify[0].on[1]: "digest" is not known; allowed is ` + words,
		on + "[hold, end, hold]}]":                  `f:1: notify[0].on[2]: "hold" is there twice; allowed is each word once`,
		on + "[problem, problem]}]":                 `f:1: notify[0].on[1]: "problem" is there twice; allowed is each word once`,
		on + "[end, hold, problem]}]":               `f:1: notify[0].on[2]: contradicts end; allowed is end for every end, or problem for those that left something undone`,
		on + "[problem,\n end]}]":                   `f:2: notify[0].on[1]: contradicts problem; allowed is end for every end, or problem for those that left something undone`,
		"notify:\n- command: [/a]\n- command: [b]":  `f:3: notify[1].command: the program is not an absolute path; allowed is ` + program,
		"notify:\n- command: [/a, b]\n- {on: [end],\n   command: [/a, b]}": `f:3: notify[1]: the command of line 2 again; allowed is each command once, with all that it is for under on`,

		"\nnotify: [" + commands(MaxNotifications+1) + "]": `f:2: notify: 11 commands; allowed is at most 10`,
	} {
		refused(t, text, private, want)
	}
	if f := loaded(t, "notify: ["+commands(MaxNotifications)+"]"); len(f.Values().Notify) != MaxNotifications {
		t.Errorf("%d commands", len(f.Values().Notify))
	}
	// A command may stand there with other arguments.
	loaded(t, "notify: [{command: [/a]}, {command: [/a, b]}, {command: [/a, c], on: [begin, problem, hold], timeout: 1s}]")
}

// commands are so many items of notify.
func commands(n int) string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf("{command: [/tell, %d]}", i)
	}
	return strings.Join(list, ", ")
}

func TestMetricsFileErrors(t *testing.T) {
	const reads = `no absolute path of a file that node_exporter reads; allowed is an absolute path that ends in .prom`
	for text, want := range map[string]string{
		"metrics_file: one_ft.prom":   `f:1: metrics_file: ` + reads,
		"metrics_file: /m/one_ft.txt": `f:1: metrics_file: ` + reads,
		"metrics_file: /m/one_ftprom": `f:1: metrics_file: ` + reads,
		"metrics_file: /m/.prom":      `f:1: metrics_file: ` + reads,
		"metrics_file: /m.prom/":      `f:1: metrics_file: ` + reads,
		"metrics_file: /m.prom/x":     `f:1: metrics_file: ` + reads,
		"metrics_file: [/m.prom]":     `f:1: metrics_file: a list; allowed is an absolute path that ends in .prom`,
	} {
		refused(t, text, private, want)
	}
	if v := loaded(t, "metrics_file: /m.prom").Values(); v.MetricsFile != "/m.prom" {
		t.Errorf("got %q", v.MetricsFile)
	}
}

// A caller that changes its list changes nobody else's.
func TestDefaultNotifyOn(t *testing.T) {
	DefaultNotifyOn()[0] = "x"
	if got := loaded(t, "notify: [{command: [/a]}]").Values().Notify[0].On; fmt.Sprint(got) != "[silent hold end]" {
		t.Errorf("got %v", got)
	}
}
