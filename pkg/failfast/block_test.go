package failfast

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"one-ft/pkg/marked"
)

var testBlock = Block{StateDir: "/var/lib/one/one-ft", Timeout: true}

func TestInstall(t *testing.T) {
	t.Parallel()
	shipped := "# Initial default configuration\n\nHost *\n  StrictHostKeyChecking accept-new\n  ControlPath /run/one/ssh-socks/ctl-M-%C.sock\n"
	for name, text := range map[string]string{
		"empty": "", "shipped": shipped, "no line end": "Host *\n  User x", "CRLF": "Host *\r\n  User x\r\n", "not UTF-8": "# \xff\x00\nHost *\n",
	} {
		fresh, err := Install([]byte(text), testBlock, false)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if !strings.HasSuffix(string(fresh), text) || !strings.HasPrefix(string(fresh), marked.Begin) {
			t.Errorf("%s: the block is not first, or the rest changed:\n%s", name, fresh)
		}
		if crlf := strings.Contains(string(fresh), "\r\n"); crlf != strings.Contains(text, "\r\n") {
			t.Errorf("%s: line ends were not kept", name)
		}
		if s := Status(fresh, testBlock.StateDir); s != BlockCurrent {
			t.Errorf("%s: %s", name, s)
		}
		if again, err := Install(fresh, testBlock, false); err != nil || !bytes.Equal(again, fresh) {
			t.Errorf("%s: twice is not once: %v", name, err)
		}
		if rest, made, err := Remove(fresh); err != nil || made || string(rest) != text {
			t.Errorf("%s: removed: %q, %v, %v", name, rest, made, err)
		}
	}
	fresh, err := Install(nil, testBlock, true)
	if err != nil {
		t.Fatal(err)
	}
	if fresh, err = Install(fresh, Block{StateDir: testBlock.StateDir}, false); err != nil {
		t.Fatal(err)
	}
	if rest, made, err := Remove(fresh); len(rest) != 0 || !made || err != nil {
		t.Errorf("that there was no file is not remembered: %q, %v, %v", rest, made, err)
	}
}

func TestStatus(t *testing.T) {
	t.Parallel()
	block := strings.Join(testBlock.lines(false), "\n") + "\n"
	for name, c := range map[string]struct {
		text string
		want BlockState
	}{
		"none":              {"Host *\n", BlockNone},
		"current":           {block + "Host *\n", BlockCurrent},
		"comments before":   {"# mine\n\n" + block, BlockCurrent},
		"settings before":   {"ControlPath /x\n" + block, BlockNotFirst},
		"another directory": {strings.ReplaceAll(block, "/var/lib/one", "/srv/one"), BlockForeign},
		"another, edited":   {strings.NewReplacer("/var/lib/one", "/srv/o%%ne", "ConnectTimeout 10", "ConnectTimeout 5", "\n", "\r\n").Replace(block), BlockForeign},
		"edited":            {strings.ReplaceAll(block, "ConnectTimeout 10", "ConnectTimeout 5"), BlockChanged},
		"no end":            {strings.TrimSuffix(block, marked.End+"\n") + "Host *\n", BlockDamaged},
		"no begin":          {"Host *\n" + marked.End + "\n", BlockDamaged},
		"two":               {block + block, BlockDamaged},
		"something else":    {strings.ReplaceAll(block, "Match all\n", "Match all\n  user=bob\n"), BlockDamaged},
	} {
		if got := Status([]byte(c.text), testBlock.StateDir); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
		_, _, err := Remove([]byte(c.text))
		if (err != nil) != (c.want == BlockDamaged) || err != nil && !isBlockError(err) {
			t.Errorf("%s: remove: %v", name, err)
		}
	}
}

func TestStateDirs(t *testing.T) {
	t.Parallel()
	for dir, good := range map[string]bool{
		"/var/lib/one/one-ft": true, "/srv/st ate/100%": true, "/srv/ünï": true, "relative": false, "": false, "/a'b": false, `/a"b`: false, "/a$b": false,
		"/a`b": false, "/a\\b": false, "/a\nb": false, "/a!b": false, "/" + strings.Repeat("x", maxDir): false,
	} {
		config, err := Install(nil, Block{StateDir: dir}, false)
		if found := BlockDir(config); good && found != dir {
			t.Errorf("%.40q: read again: %.40q", dir, found)
		}
		var refused *marked.Error
		if (err == nil) != good || err != nil && !errors.As(err, &refused) {
			t.Errorf("%.40q: %v", dir, err)
		}
	}
}

func TestSetsTimeout(t *testing.T) {
	t.Parallel()
	block := strings.Join(testBlock.lines(false), "\n") + "\n"
	for text, want := range map[string]bool{
		"": false, block: false, "#ConnectTimeout 5\n": false, "Host x\n\tconnecttimeout=5": true, block + " ConnectTimeout 7\n": true, "ConnectTimeouts 5": false,
	} {
		if _, got := SetsTimeout([]byte(text)); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}

// TestRemoveInstall: whatever the file is, Remove gives it back.
func TestRemoveInstall(t *testing.T) {
	t.Parallel()
	line := rapid.SampledFrom([]string{"Host *", "  User x", "", "# c", "\r", marked.End, marked.Opening(""), "Match all", "Include ~/x", "ConnectTimeout 4", "\t", "\xff"})
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Join(rapid.SliceOf(line).Draw(t, "lines"), rapid.SampledFrom([]string{"\n", "\r\n"}).Draw(t, "eol"))
		checkInstall(t, []byte(text), Block{StateDir: "/s", Timeout: rapid.Bool().Draw(t, "timeout")})
	})
}

func FuzzInstall(f *testing.F) {
	f.Add([]byte("Host *\n  User x"), true)
	f.Add([]byte(strings.Join(testBlock.lines(true), "\r\n")), false)
	f.Fuzz(func(t *testing.T, text []byte, timeout bool) {
		checkInstall(t, text, Block{StateDir: "/s", Timeout: timeout})
	})
}

func checkInstall(t interface{ Fatalf(string, ...any) }, text []byte, b Block) {
	before, _, err := Remove(text)
	fresh, refused := Install(text, b, false)
	if (err == nil) != (refused == nil) {
		t.Fatalf("remove: %v, install: %v", err, refused)
	}
	if refused != nil {
		if Status(text, b.StateDir) != BlockDamaged || !isBlockError(refused) {
			t.Fatalf("refused, but %s: %v", Status(text, b.StateDir), refused)
		}
		return
	}
	if s := Status(fresh, b.StateDir); s != BlockCurrent {
		t.Fatalf("%s after install: %q", s, fresh)
	}
	if after, _, err := Remove(fresh); err != nil || !bytes.Equal(after, before) {
		t.Fatalf("%q became %q: %v", before, after, err)
	}
	if again, err := Install(fresh, b, false); err != nil || !bytes.Equal(again, fresh) {
		t.Fatalf("twice is not once: %q, %q, %v", fresh, again, err)
	}
}

func isBlockError(err error) bool {
	var b *marked.Error
	return errors.As(err, &b)
}
