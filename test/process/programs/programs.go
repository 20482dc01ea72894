// Package programs builds the executables that tests run, once for a checkout: the packages
// that run them would else link each of them again, which costs more than what they test.
package programs

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// Dir is the directory with all executables of cmd/ and onelab, as they are in the source now: go
// build looks at the sources each time, and links again what changed. They are built without
// cgo, so without the race detector. Tests must not write into the directory.
func Dir(t testing.TB) string {
	t.Helper()
	dir, err := Build()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// Shipped is go build with these words for what is shipped: with the flags of the Makefile, so that nothing is compiled twice.
func Shipped(words ...string) (*exec.Cmd, error) {
	mod, err := exec.Command("go", "env", "GOMOD").Output()
	if err != nil {
		return nil, fmt.Errorf("find the checkout: %w", err)
	}
	root := filepath.Dir(strings.TrimSpace(string(mod)))
	flags, err := exec.Command("make", "--no-print-directory", "-s", "-C", root, "flags").Output()
	if err != nil {
		return nil, fmt.Errorf("read the flags of the Makefile: %w", err)
	}
	build := exec.Command("go", append([]string{"build"}, words...)...)
	build.Dir, build.Env = root, append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS="+strings.TrimSpace(string(flags)))
	return build, nil
}

// Build is Dir for a TestMain.
func Build() (string, error) {
	build, err := Shipped()
	if err != nil {
		return "", fmt.Errorf("build the executables: %w", err)
	}
	root := build.Dir
	dir := filepath.Join(root, "build", "test")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("build the executables: %w", err)
	}
	// The tests of several packages come at the same time.
	lock, err := os.OpenFile(filepath.Join(root, "build", "test.lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return "", fmt.Errorf("build the executables: %w", err)
	}
	defer lock.Close()
	for {
		if err = syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); !errors.Is(err, syscall.EINTR) {
			break
		}
	}
	if err != nil {
		return "", fmt.Errorf("build the executables: %w", err)
	}
	build.Args = append(build.Args, "-o", dir+"/", "./cmd/...", "./test/sim/lab/onelab")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the executables: %w\n%s", err, out)
	}
	return dir, nil
}
