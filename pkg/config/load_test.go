package config

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestMissingFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, Name)
	if f, err := Load(path); err != nil || !reflect.DeepEqual(f, File{}) {
		t.Errorf("got %+v, %v", f, err)
	}
	if _, err := LoadNamed(path); !errors.Is(err, fs.ErrNotExist) || err.Error() != path+": cannot be read: no such file or directory" {
		t.Errorf("named: %v", err)
	}
	if err := os.Symlink("nowhere", path); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(path); err == nil || err.Error() != path+": cannot be read: no such file or directory" {
		t.Errorf("link that leads nowhere: %v", err)
	}
	if _, err := Load("/dev/null/" + Name); err == nil || err.Error() != "/dev/null/"+Name+": cannot be read: not a directory" {
		t.Errorf("below a file: %v", err)
	}
}

// Texts that set nothing give the zero File, but for its path.
func TestEmptyFile(t *testing.T) {
	for _, text := range []string{"", "\n", "# wait: 1s\n", "---\n", "---\n# wait\n...\n", "  \n", "{}\n", "# a\r\n", "~"} {
		path := write(t, text, 0o644)
		if f, err := Load(path); err != nil || !reflect.DeepEqual(f, File{Path: path}) {
			t.Errorf("%q: got %+v, %v", text, f, err)
		}
	}
}

// What cannot be a configuration file, or a file with a secret, is refused by both
// in the same words.
func TestNotAFile(t *testing.T) {
	dir := t.TempDir()
	pipe := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		dir:         dir + ": a directory, not a file",
		pipe:        pipe + ": not a regular file", // and nobody waits for a writer
		"/dev/zero": "/dev/zero: not a regular file",
	} {
		_, config := Load(path)
		_, secret := ReadSecret(path)
		for _, err := range []error{config, secret} {
			if err == nil || err.Error() != want {
				t.Errorf("got %v, want %s", err, want)
				continue
			}
			wellFormed(t, err)
		}
	}
}

// Root reads everything, so a thread of its own gives up that right for files.
func TestUnreadableFile(t *testing.T) {
	path := write(t, "wait: 1s", 0)
	results := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		if os.Getuid() == 0 {
			if err := syscall.Setfsuid(65534); err != nil {
				t.Error(err)
			}
		}
		_, config := Load(path)
		_, secret := ReadSecret(path)
		results <- config
		results <- secret
	}()
	for range 2 {
		if err := <-results; !errors.Is(err, fs.ErrPermission) || err.Error() != path+": cannot be read: permission denied" {
			t.Errorf("got %v", err)
		}
	}
}

func TestTooLargeFile(t *testing.T) {
	path := write(t, strings.Repeat("#", MaxSize), 0o644)
	if _, err := Load(path); err != nil {
		t.Errorf("%d bytes: %v", MaxSize, err)
	}
	path = write(t, strings.Repeat("#", MaxSize+1), 0o644)
	if _, err := Load(path); err == nil || err.Error() != path+": larger than 1048576 bytes" {
		t.Errorf("%d bytes: %v", MaxSize+1, err)
	}
}

// Files that make a parser slow or deep end in an error, soon.
func TestHostileFiles(t *testing.T) {
	bomb := "a: &a [x, x]\n"
	for c := 'b'; c < 'z'; c++ {
		bomb += string(c) + ": &" + string(c) + " [*" + string(c-1) + ", *" + string(c-1) + "]\n"
	}
	start := time.Now()
	for name, text := range map[string]string{
		"aliases": bomb, "lists": strings.Repeat("[", MaxSize), "mappings": strings.Repeat("{", MaxSize), "keys": strings.Repeat("? ", MaxSize/2),
		"deep": "confirm: " + strings.Repeat("[", 9000) + strings.Repeat("]", 9000), "items": strings.Repeat("- # c\n", MaxSize/8),
		"same key": strings.Repeat("wait: 1s\n", MaxSize/10), "spaces": strings.Repeat(" ", MaxSize-1) + "x",
	} {
		_, err := parse("f", []byte(text), private)
		if err == nil {
			t.Errorf("%s: no error", name)
			continue
		}
		wellFormed(t, err)
		if len(err.Error()) > 400 {
			t.Errorf("%s: an error of %d bytes", name, len(err.Error()))
		}
	}
	if took := time.Since(start); took > 30*time.Second {
		t.Errorf("it took %s", took)
	}
}

// Whoever writes the file chooses what runs as oneadmin.
func TestFileThatAllMayWrite(t *testing.T) {
	path := write(t, "", 0o666)
	want := path + ": mode 0666 lets everybody write it, and it names programs to run; allowed is a file after chmod o-w"
	if _, err := Load(path); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// A secret in the configuration file is refused when others have access to it, whatever
// secret it is, and its text is in no error.
func TestLiteralSecrets(t *testing.T) {
	const at = "f:6: fence[0].levels[0].devices[0].params."
	for _, mode := range []fs.FileMode{0o400, 0o600, 0o640, 0o750} {
		f, err := parse("f", []byte(device("agent: fence_a", "params: {password: s3%cret}")+"endpoint: http://u:s3cret@h/RPC2"), mode)
		if err != nil || f.Fence[0].Levels[0].Devices[0].Params["password"] != "s3%cret" {
			t.Errorf("mode %o: %v", mode, err)
		}
	}
	for mode, why := range map[fs.FileMode]string{
		0o644: "others have access to (mode 0644)", 0o604: "others have access to (mode 0604)", 0o641: "others have access to (mode 0641)",
		0o660: "its group may write (mode 0660)", 0o620: "its group may write (mode 0620)",
	} {
		for _, key := range []string{"password", "passwd", "PASSWORD", "snmp_priv_passwd", "secret_key", "token", "apikey", "community", "hexadecimal_kg"} {
			refused(t, device("agent: fence_a", "params: {"+key+": s3cret}"), mode,
				at+key+": a secret in a file that "+why+"; allowed is password_file, or a secret here after chmod o-rwx,g-w")
		}
		refused(t, "endpoint: http://u:s3cret@h/RPC2", mode,
			"f:1: endpoint: a password in a file that "+why+"; allowed is a password in auth_file, or here after chmod o-rwx,g-w")
		f, err := parse("f", []byte(device("agent: fence_a", "params: {password_script: /bin/x, identity_file: /k, ip: a}", "password_file: /p")+"endpoint: http://h/RPC2"), mode)
		if err != nil || f.Fence[0].Levels[0].Devices[0].PasswordFile != "/p" {
			t.Errorf("mode %o: %v", mode, err)
		}
	}
}

func TestReadSecret(t *testing.T) {
	for content, want := range map[string]string{"s3cret": "s3cret", "s3cret\n": "s3cret", " a b\t\n": " a b\t", strings.Repeat("x", MaxSecret): strings.Repeat("x", MaxSecret)} {
		for _, mode := range []fs.FileMode{0o400, 0o600, 0o440, 0o640} {
			path := write(t, content, mode)
			link := path + ".link"
			if err := os.Symlink(path, link); err != nil {
				t.Fatal(err)
			}
			for _, name := range []string{path, link} {
				if got, err := ReadSecret(name); err != nil || got != want {
					t.Errorf("%q, mode %o: got %q, %v", content, mode, got, err)
				}
			}
		}
	}
	for _, test := range []struct {
		content string
		mode    fs.FileMode
		want    string
	}{
		{"s3cret", 0o644, "others may read this secret (mode 0644); allowed is 0400, 0600, 0440 or 0640"},
		{"s3cret", 0o604, "others may read this secret (mode 0604); allowed is 0400, 0600, 0440 or 0640"},
		{"s3cret", 0o660, "others than its owner may write this secret (mode 0660); allowed is 0400, 0600, 0440 or 0640"},
		{"s3cret", 0o602, "others than its owner may write this secret (mode 0602); allowed is 0400, 0600, 0440 or 0640"},
		{"", 0o600, "empty; allowed is one line"},
		{"\n", 0o600, "empty; allowed is one line"},
		{"s3cret\n\n", 0o600, "more than one line, a carriage return or a zero byte; allowed is one line"},
		{"s3cret\naction=on\n", 0o600, "more than one line, a carriage return or a zero byte; allowed is one line"},
		{"s3cret\r\n", 0o600, "more than one line, a carriage return or a zero byte; allowed is one line"},
		{"s3\x00", 0o600, "more than one line, a carriage return or a zero byte; allowed is one line"},
		{strings.Repeat("x", MaxSecret+1), 0o600, "larger than 4096 bytes"},
	} {
		path := write(t, test.content, test.mode)
		link := path + ".link"
		if err := os.Symlink(path, link); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{path, link} {
			if got, err := ReadSecret(name); err == nil || got != "" || err.Error() != name+": "+test.want {
				t.Errorf("%.20q, mode %o: got %q, %v, want %s", test.content, test.mode, got, err, test.want)
			}
		}
	}
	if _, err := ReadSecret("s3cret"); err == nil || err.Error() != "file with a secret: not an absolute path; allowed is an absolute path" {
		t.Errorf("relative: %v", err)
	}
	if _, err := ReadSecret("/nowhere/a\nb"); !errors.Is(err, fs.ErrNotExist) || err.Error() != `"/nowhere/a\nb": cannot be read: no such file or directory` {
		t.Errorf("missing: %v", err)
	}
}
