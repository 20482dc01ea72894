package rigs_test

import (
	"flag"
	"os"
	"runtime"
	"strconv"
	"testing"
)

// TestMain starts more rigs at the same time than there are processors: most of the time they wait.
func TestMain(m *testing.M) {
	flag.Parse()
	if f := flag.Lookup("test.parallel"); f.Value.String() == strconv.Itoa(runtime.GOMAXPROCS(0)) {
		_ = f.Value.Set("6")
	}
	os.Exit(m.Run())
}
