// Command host_isolated runs on each host: it detects that the host lost the network, and stops its VMs before the
// cloud starts them elsewhere. cron or systemd start it.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"one-ft/cmd/host_isolated/hostisolated"
)

func main() {
	signal.Ignore(syscall.SIGPIPE, syscall.SIGHUP)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(hostisolated.Run(ctx, hostisolated.OS()))
}
