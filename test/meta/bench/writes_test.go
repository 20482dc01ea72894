package bench

import (
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// writes are the files that were written and then renamed into their place, which costs two
// fsyncs each: one of the file and one of its directory.
type writes struct {
	files int
	bytes int64
}

// watchWrites counts the writes in a directory and in those below it, as they are now, until
// the function that it returns is called.
func watchWrites(t *testing.T, dir string) func() writes {
	t.Helper()
	fd, err := syscall.InotifyInit1(syscall.IN_CLOEXEC | syscall.IN_NONBLOCK)
	if err != nil {
		t.Fatal(err)
	}
	events := os.NewFile(uintptr(fd), "inotify")
	watched := map[int32]string{}
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		wd, err := syscall.InotifyAddWatch(fd, path, syscall.IN_MOVED_TO)
		watched[int32(wd)] = path
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	counted := make(chan writes)
	go func() { counted <- countWrites(t, events, watched) }()
	return func() writes {
		if err := events.Close(); err != nil {
			t.Error(err)
		}
		return <-counted
	}
}

// countWrites reads events until they are closed.
func countWrites(t *testing.T, events *os.File, watched map[int32]string) (w writes) {
	buffer := make([]byte, 64<<10)
	for {
		n, err := events.Read(buffer)
		if err != nil {
			if !errors.Is(err, os.ErrClosed) {
				t.Error(err)
			}
			return w
		}
		for text := buffer[:n]; len(text) >= syscall.SizeofInotifyEvent; {
			// struct inotify_event: wd, mask, cookie, len, name
			wd, mask := int32(binary.NativeEndian.Uint32(text)), binary.NativeEndian.Uint32(text[4:])
			end := syscall.SizeofInotifyEvent + int(binary.NativeEndian.Uint32(text[12:]))
			name := strings.TrimRight(string(text[syscall.SizeofInotifyEvent:end]), "\x00")
			text = text[end:]
			if mask&syscall.IN_Q_OVERFLOW != 0 {
				t.Error("writes came faster than they could be counted")
			}
			w.files++
			if info, err := os.Stat(filepath.Join(watched[wd], name)); err == nil {
				w.bytes += info.Size()
			}
		}
	}
}
