package failover

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"one-ft/pkg/one"
)

// The bounds of a second opinion.
const (
	opinionTimeout = 30 * time.Second
	// opinionGrace is how long its output may stay open after it was killed.
	opinionGrace = 2 * time.Second
)

// NewOpinion makes a second opinion of a program and its arguments. It gets the host
// as XML in base64 on standard input, and FT_HOST_ID and FT_HOST_NAME in its
// environment. Exit code 0 means that the host is alive; a program that cannot be
// run or takes longer than 30 s has no opinion, and is killed with all it started.
// xml reads the host as oned writes it.
func NewOpinion(argv []string, xml func(context.Context, int) (string, error)) Opinion {
	ask := func(ctx context.Context, host one.Host) (bool, error) {
		document, err := xml(ctx, host.ID)
		if err != nil {
			return false, err
		}
		ctx, cancel := context.WithTimeout(ctx, opinionTimeout)
		defer cancel()
		cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
		cmd.Stdin = strings.NewReader(base64.StdEncoding.EncodeToString([]byte(document)))
		cmd.Stdout, cmd.Stderr = io.Discard, io.Discard
		cmd.Env = append(os.Environ(), fmt.Sprintf("FT_HOST_ID=%d", host.ID), "FT_HOST_NAME="+host.Name)
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
		cmd.WaitDelay = opinionGrace
		err = cmd.Run()
		var exit *exec.ExitError
		switch {
		case ctx.Err() != nil:
			return false, fmt.Errorf("it took longer than %s", opinionTimeout)
		case err == nil:
			return true, nil
		case errors.As(err, &exit) && exit.Exited():
			return false, nil
		}
		return false, err
	}
	return Opinion{Name: filepath.Base(argv[0]), Ask: ask}
}
