// Command oneft is for admins: it shows what one-ft has done, and finishes what was left.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"one-ft/cmd/oneft/oneftcmd"
	"one-ft/pkg/app"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	app.SaveMemory()
	os.Exit(oneftcmd.Run(ctx, app.OS()))
}
