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
)

func TestMissingFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, Name)
	if f, err := Load("", path); err != nil || !reflect.DeepEqual(f, File{}) {
		t.Errorf("got %+v, %v", f, err)
	}
	if _, err := Load(path, ""); !errors.Is(err, fs.ErrNotExist) || err.Error() != path+": cannot be read: no such file or directory" {
		t.Errorf("named: %v", err)
	}
	if err := os.Symlink("nowhere", path); err != nil {
		t.Fatal(err)
	}
	if _, err := Load("", path); err == nil || err.Error() != path+": cannot be read: no such file or directory" {
		t.Errorf("link that leads nowhere: %v", err)
	}
	if _, err := Load("", "/dev/null/"+Name); err == nil || err.Error() != "/dev/null/"+Name+": cannot be read: not a directory" {
		t.Errorf("below a file: %v", err)
	}
}

// Texts that set nothing give the defaults, and the path.
func TestEmptyFile(t *testing.T) {
	for _, text := range []string{"", "\n", "# wait: 1s\n", "---\n", "---\n# wait\n...\n", "  \n", "{}\n", "# a\r\n", "~"} {
		path := write(t, text, 0o644)
		if f, err := Load("", path); err != nil || f.Path != path || f.Fence != nil || !reflect.DeepEqual(f.Values(), Default()) {
			t.Errorf("%q: got %+v, %v", text, f, err)
		}
	}
}

// What cannot be a configuration file is refused.
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
		_, err := Load("", path)
		if err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
			continue
		}
		wellFormed(t, err)
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
		_, err := Load("", path)
		results <- err
	}()
	if err := <-results; !errors.Is(err, fs.ErrPermission) || err.Error() != path+": cannot be read: permission denied" {
		t.Errorf("got %v", err)
	}
}

func TestTooLargeFile(t *testing.T) {
	path := write(t, strings.Repeat("#", MaxSize), 0o644)
	if _, err := Load("", path); err != nil {
		t.Errorf("%d bytes: %v", MaxSize, err)
	}
	path = write(t, strings.Repeat("#", MaxSize+1), 0o644)
	if _, err := Load("", path); err == nil || err.Error() != path+": larger than 1048576 bytes" {
		t.Errorf("%d bytes: %v", MaxSize+1, err)
	}
}

// Files that make a parser slow or deep end in an error; one that takes for ever meets the limit of the tests.
func TestHostileFiles(t *testing.T) {
	bomb := "a: &a [x, x]\n"
	for c := 'b'; c < 'z'; c++ {
		bomb += string(c) + ": &" + string(c) + " [*" + string(c-1) + ", *" + string(c-1) + "]\n"
	}
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
}

// Whoever writes the file chooses what runs as oneadmin.
func TestFileThatAllMayWrite(t *testing.T) {
	path := write(t, "", 0o666)
	want := path + ": mode 0666 lets everybody write it, and it names programs to run; allowed is a file after chmod o-w"
	if _, err := Load("", path); err == nil || err.Error() != want {
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
		for _, key := range []string{"password", "passwd", "PASSWORD", "snmp_priv_passwd", "secret_key", "token", "apikey", "community", "hexadecimal_kg", "access_key"} {
			refused(t, device("agent: fence_a", "params: {"+key+": s3cret}"), mode,
				at+key+": a secret in a file that "+why+"; allowed is password_file, or a secret here after chmod o-rwx,g-w")
		}
		refused(t, "endpoint: http://u:s3cret@h/RPC2", mode,
			"f:1: endpoint: a password in a file that "+why+"; allowed is a password in auth_file, or here after chmod o-rwx,g-w")
		f, err := parse("f", []byte(device("agent: fence_a", "params: {password_script: /bin/x, identity_file: /k, ip: a}", "password_file: /p")+"endpoint: http://h/RPC2"), mode)
		if err != nil || f.Fence[0].Levels[0].Devices[0].SecretFile != "/p" {
			t.Errorf("mode %o: %v", mode, err)
		}
	}
}
