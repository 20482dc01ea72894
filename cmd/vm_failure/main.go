// Command vm_failure recovers one failed VM. oned runs it as a VM_HOOK on FAILED
// (4.x) or on a *_FAILURE state (5.0 and later), and admins run it by hand.
package main

import (
	"os"

	"one-ft/cmd/vm_failure/vmfailure"
	"one-ft/pkg/app"
)

func main() { os.Exit(app.Main(vmfailure.Tool())) }
