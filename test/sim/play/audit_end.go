package play

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// end is made when everything has ended.
func (a *audit) end() {
	clear(a.truth.changed) // the time of a directory has steps of milliseconds
	a.look()
	for id := range a.unproven {
		if !a.excused[id] && !a.world.said("they will run twice") {
			a.world.problem("promise 1: no line says that the VMs of host%d may run twice", id)
		}
	}
	a.recorded()
	for _, f := range a.world.frontEnds {
		a.leftovers(f)
		a.logs(f)
	}
}

// said reports whether a log of a tool has a text.
func (w *world) said(text string) bool {
	for _, f := range w.frontEnds {
		files, _ := filepath.Glob(filepath.Join(f.root, "var", "*.log"))
		for _, path := range files {
			if content, _ := os.ReadFile(path); strings.Contains(string(content), text) {
				return true
			}
		}
	}
	return false
}

// recorded is promise 4: what was done to a VM is in a journal.
func (a *audit) recorded() {
	inJournal := map[int]bool{}
	for _, f := range a.world.frontEnds {
		if f.noJournal {
			return
		}
		for _, r := range f.records() {
			for _, v := range r.VMs {
				inJournal[v.ID] = true
			}
			if r.Kind == "VM" {
				inJournal[r.ID] = true
			}
		}
	}
	for vm, by := range a.acted {
		if !inJournal[vm] {
			a.world.problem("promise 4: no journal holds what %s did to vm %d", by, vm)
		}
	}
}

// leftovers looks for what must not stay: files that are being written, locks that are held, open
// files.
func (a *audit) leftovers(f *frontEnd) {
	state := filepath.Join(f.root, "var", "one-ft")
	err := filepath.WalkDir(state, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if d.Name() == ".lock" { // over the marks
			a.free(path)
			return nil
		}
		if strings.HasPrefix(d.Name(), ".") && f.kills == 0 {
			a.world.problem("a file is left behind: %s", path)
		}
		if filepath.Base(filepath.Dir(path)) == "locks" {
			a.free(path)
		}
		return nil
	})
	if err != nil && !f.noJournal {
		a.world.problem("%v", err)
	}
	links, _ := filepath.Glob("/proc/self/fd/*")
	for _, link := range links {
		if target, err := os.Readlink(link); err == nil && strings.HasPrefix(target, a.world.dir+"/") {
			a.world.problem("a file is left open: %s", target)
		}
	}
}

// free looks whether a lock can be taken.
func (a *audit) free(path string) {
	file, err := os.Open(path)
	if err != nil {
		a.world.problem("%v", err)
		return
	}
	defer file.Close()
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		a.world.problem("a lock is left behind: %s: %v", path, err)
	}
}
