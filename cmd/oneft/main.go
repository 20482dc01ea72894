// Command oneft is for admins: it shows what one-ft has done, and finishes what was left.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"one-ft/cmd/oneft/tool"
	"one-ft/pkg/app"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(tool.Run(ctx, app.OS()))
}
