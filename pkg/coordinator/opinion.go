package coordinator

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"one-ft/pkg/failover"
	"one-ft/pkg/one"
	"one-ft/pkg/process"
)

// newOpinion makes a second opinion of a program and its arguments. It gets the host
// as XML in base64 on standard input, and FT_HOST_ID and FT_HOST_NAME in its
// environment. Exit code 0 means that the host is alive; a program that cannot be
// run or takes longer than 30 s has no opinion, and is killed with all it started.
// xml reads the host as oned writes it; run runs the program, nil is process.Run.
func newOpinion(argv []string, xml func(context.Context, int) (string, error), run process.Runner) failover.Opinion {
	if run == nil {
		run = process.Run
	}
	ask := func(ctx context.Context, host one.Host) (bool, error) {
		document, err := xml(ctx, host.ID)
		if err != nil {
			return false, err
		}
		r := run(ctx, failover.OpinionTimeout, process.Program{
			Path: argv[0], Args: argv[1:], Stdin: []byte(base64.StdEncoding.EncodeToString([]byte(document))),
			Env: append(os.Environ(), fmt.Sprintf("FT_HOST_ID=%d", host.ID), "FT_HOST_NAME="+host.Name),
		})
		if errors.Is(r.Err, process.ErrTimeout) {
			return false, fmt.Errorf("it took longer than %s", failover.OpinionTimeout)
		}
		return r.Code == 0 && r.Err == nil, r.Err
	}
	return failover.Opinion{Name: filepath.Base(argv[0]), Ask: ask}
}
