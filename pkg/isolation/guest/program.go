package guest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"one-ft/pkg/one"
	"one-ft/pkg/process"
)

const (
	// systemPath is the PATH of virsh.
	systemPath = "/usr/sbin:/usr/bin:/sbin:/bin"
	// longest is more than any limit; programs end with their context.
	longest = 24 * time.Hour
)

// run runs a program until ctx ends, and does not wait any longer: neither for one that
// the kernel holds, nor for the disk that it is on.
func run(ctx context.Context, env []string, command ...string) process.Result {
	// Nobody who looks at the result will know more than the context.
	failed := func(err error) process.Result { return process.Result{Code: -1, Err: err} }
	if len(command) == 0 || !filepath.IsAbs(command[0]) {
		return failed(errors.New("no program is given; give its path, such as /usr/bin/virsh"))
	}
	if ctx.Err() != nil {
		return failed(fmt.Errorf("not started: %w", context.Cause(ctx)))
	}
	r, err := bounded(ctx, func() process.Result {
		touch(command[0])
		return process.Run(ctx, longest, process.Program{Path: command[0], Args: command[1:], Env: env})
	})
	if err != nil {
		return failed(err)
	}
	return r
}

// touch reads the beginning of a program. Go starts a program with its own thread held
// by the kernel until that has been read, and with it sooner or later the whole process;
// a read alone holds up one goroutine.
func touch(path string) {
	f, err := os.Open(path)
	if err != nil {
		return // the start will say why
	}
	defer f.Close()
	_, _ = f.Read(make([]byte, 4096))
}

// bounded returns what f returns, or the cause of the end of ctx; then f is left behind.
func bounded[T any](ctx context.Context, f func() T) (T, error) {
	result := make(chan T, 1)
	go func() { result <- f() }()
	select {
	case r := <-result:
		return r, nil
	case <-ctx.Done():
	}
	select {
	case r := <-result: // both at once
		return r, nil
	default:
		var none T
		return none, context.Cause(ctx)
	}
}

// findVirsh returns the path of virsh.
func (h Host) findVirsh() (string, error) {
	if h.Virsh != "" {
		return h.Virsh, nil
	}
	for _, dir := range append([]string{"/usr/bin", "/bin"}, filepath.SplitList(os.Getenv("PATH"))...) {
		if path := filepath.Join(dir, "virsh"); filepath.IsAbs(path) && process.Runnable(path) {
			return path, nil
		}
	}
	return "", errors.New("there is no virsh; it is in the package libvirt-clients (Debian, Ubuntu) or libvirt-client")
}

// ending is how a program ended, for a log.
func ending(r process.Result) string {
	text := fmt.Sprintf("exit code %d", r.Code)
	if r.Err != nil {
		text = r.Err.Error()
	}
	if said := lastLines(r.Output); said != "" {
		text += ": " + said
	}
	return one.Printable(text)
}

// maxSaid is how many bytes of the output of a program are shown: programs say at the
// end what is wrong.
const maxSaid = 300

// lastLines is the end of an output in one line.
func lastLines(output string) string {
	said := strings.Join(strings.Fields(output), " ")
	if len(said) > maxSaid {
		said = "…" + strings.ToValidUTF8(said[len(said)-maxSaid:], "")
	}
	return said
}
