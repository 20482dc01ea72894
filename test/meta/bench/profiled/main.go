// Command profiled is an executable of one-ft that leaves profiles of its work: profiled PREFIX NAME words... writes PREFIX.cpu and
// PREFIX.allocs.
package main

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"

	"one-ft/cmd/host_error/hosterror"
	"one-ft/cmd/oneft/oneftcmd"
	"one-ft/pkg/app"
)

func main() {
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "profiled:", err)
		os.Exit(1)
	}
}

// run profiles one executable.
func run(prefix, name string) error {
	runtime.MemProfileRate = 4096
	cpu, err := os.Create(prefix + ".cpu")
	if err != nil {
		return err
	}
	runtime.SetCPUProfileRate(1000)
	if err := pprof.StartCPUProfile(cpu); err != nil {
		return err
	}
	os.Args = os.Args[2:]
	if name == "oneft" {
		oneftcmd.Run(context.Background(), app.OS())
	} else {
		app.Main(hosterror.Tool())
	}
	pprof.StopCPUProfile()
	allocs, err := os.Create(prefix + ".allocs")
	if err != nil {
		return err
	}
	return pprof.Lookup("allocs").WriteTo(allocs, 0)
}
