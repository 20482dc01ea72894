package play

import (
	"errors"
	"os"
	"path/filepath"
	"strings"

	"one-ft/pkg/one"
	"one-ft/test/sim/cloud"
)

// setDown stops or starts oned.
func (w *world) setDown(down bool) error {
	w.mu.Lock()
	w.down = down
	w.mu.Unlock()
	w.cloud.SetDown(down)
	for _, f := range w.frontEnds {
		if !down {
			f.begin()
		}
	}
	return nil
}

// undo keeps what takes back something that was done to oned.
func (w *world) undo(back func()) { w.undone = append(w.undone, back) }

// lead makes a front-end the leader. The one before kills its hooks and stops its hook manager
// (opennebula.md: raft/vip.sh).
func (w *world) lead(f *frontEnd) error {
	for _, other := range w.frontEnds {
		if other != f {
			if other.serves() {
				other.kill()
			}
			w.setRole(other, cloud.Follower)
		}
	}
	w.setRole(f, cloud.Leader)
	f.begin() // the hook manager starts there
	w.reach(w.nodes...)
	return nil
}

func (w *world) setRole(f *frontEnd, r cloud.Role) {
	f.mu.Lock()
	f.role = r
	f.mu.Unlock()
	f.oned.SetRole(r)
}

// byHand has oned do something with a VM that an admin asks for, without any tool of ours.
func (w *world) byHand(what string, id int) error {
	actions := map[string]one.Action{"recreates": one.Recreate, "deletes": one.Delete, "boots": one.Reboot, "resumes": one.Resume}
	client, err := w.byHandClient()
	if err != nil {
		return err
	}
	w.audit.byHand(id)
	return client.Do(w.ctx, actions[what], id)
}

// brokenDisk makes every write into the state directory fail, also for root.
func (f *frontEnd) brokenDisk() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	dir := filepath.Join(f.root, "var", "one-ft")
	f.noJournal = true
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	return os.WriteFile(dir, nil, 0o644) // not a directory
}

// nameAgain gives a lost state directory the name of its front-end, which is random otherwise.
func (f *frontEnd) nameAgain() error {
	dir := filepath.Join(f.root, "var", "one-ft")
	return errors.Join(os.MkdirAll(dir, 0o755), os.WriteFile(filepath.Join(dir, "front-end"), []byte(f.name+"\n"), 0o644))
}

// edit changes each record of the journal.
func (f *frontEnd) edit(change func(text string) string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	files, err := filepath.Glob(filepath.Join(f.root, "var", "one-ft", "incidents", "incident-*.json"))
	for _, path := range files {
		text, readErr := os.ReadFile(path)
		if err = errors.Join(err, readErr); err == nil {
			err = os.WriteFile(path, []byte(change(string(text))), 0o644)
		}
	}
	return err
}

// newerRecords gives the records what only a later version of one-ft knows.
func (f *frontEnd) newerRecords() error {
	return f.edit(func(text string) string {
		return strings.Replace(text, `"status"`, `"cost_center": {"euro": 3}, "status"`, 1)
	})
}

// damage cuts each record in half, as a disk without a barrier may.
func (f *frontEnd) damage() error {
	return f.edit(func(text string) string { return text[:len(text)/2] })
}
