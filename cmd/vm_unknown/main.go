// Command vm_unknown boots a crashed VM again. oned runs it as a VM_HOOK on
// UNKNOWN, and admins run it by hand.
package main

import (
	"os"

	"one-ft/cmd/vm_unknown/vmunknown"
	"one-ft/pkg/app"
)

func main() { os.Exit(app.Main(vmunknown.Tool())) }
