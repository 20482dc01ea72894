// Command host_isolated runs on each host: it detects that the host lost the network, and stops its VMs before the
// cloud starts them elsewhere. cron or systemd start it.
package main

import (
	"context"
	"os"

	"one-ft/cmd/host_isolated/hostisolated"
	"one-ft/pkg/app"
)

func main() {
	os.Exit(app.Lasting(func(ctx context.Context) int { return hostisolated.Run(ctx, hostisolated.OS()) }))
}
