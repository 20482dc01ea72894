package hosterror

import (
	"slices"
	"strings"
	"testing"

	"one-ft/pkg/app"
	"one-ft/pkg/hook"
)

// flagsOf reads words as host_error does.
func flagsOf(t *testing.T, words ...string) (opinions [][]string, pause int, err error) {
	t.Helper()
	tool := Tool()
	c, err := app.Read(t.Context(), tool.Command(), append([]string{"-r"}, words...))
	if err != nil {
		return nil, 0, err
	}
	q, err := flags(c, hook.No)
	if err == nil {
		err = canBeAsked(q.Opinions)
	}
	return q.Opinions, c.Int("pause"), err
}

// A second opinion is asked with all of its words, commas too; numbers are decimal.
func TestSecondOpinionWords(t *testing.T) {
	got, pause, err := flagsOf(t, "--confirm", "/bin/true --ports 22,443", "--confirm=/bin/sh -c exit,1", "-p", "010")
	want := [][]string{{"/bin/true", "--ports", "22,443"}, {"/bin/sh", "-c", "exit,1"}}
	if err != nil || pause != 10 || !slices.EqualFunc(got, want, slices.Equal) {
		t.Errorf("%q, -p %d, %v", got, pause, err)
	}
}

// One that could not be asked is refused before anything is done: its answer would be missed.
func TestSecondOpinionThatCannotBeAsked(t *testing.T) {
	for command, says := range map[string]string{
		"": "is empty", " ": "is empty", "op.sh --fast": "not an absolute path", "./op.sh": "not an absolute path", "ping,host": "not an absolute path",
		"/nonexistent/op.sh --ports 22,443": "not there or cannot be executed", "/etc/passwd": "cannot be executed", "/usr/bin": "cannot be executed",
	} {
		if _, _, err := flagsOf(t, "--confirm="+command); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("--confirm %q: %v", command, err)
		}
	}
	for _, number := range []string{"0x10", "1_0", "1e1", "２", " 1"} {
		if _, _, err := flagsOf(t, "-p="+number); err == nil {
			t.Errorf("-p %s is a number", number)
		}
	}
}
