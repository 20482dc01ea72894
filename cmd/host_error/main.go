// Command host_error recovers the VMs of a failed host. oned runs it as a
// HOST_HOOK on ERROR, and admins run it by hand.
package main

import (
	"os"

	"one-ft/cmd/host_error/hosterror"
	"one-ft/pkg/app"
)

func main() { os.Exit(app.Main(hosterror.Tool())) }
