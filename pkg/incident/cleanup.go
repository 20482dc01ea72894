package incident

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// RemoveLeftovers removes the files that killed processes have left half written in the state
// directory and below it, apart from the journal, which Prune looks after. Errors do not
// matter: the next process retries.
func RemoveLeftovers(stateDir string, now time.Time) {
	const deepest = 3
	_ = filepath.WalkDir(stateDir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return nil
		}
		if rel, err := filepath.Rel(stateDir, path); d.IsDir() && (err != nil || strings.Count(rel, string(filepath.Separator)) >= deepest) {
			return fs.SkipDir
		}
		ours := slices.ContainsFunc([]string{".host-", ".front-end-", ".VM-", ".metrics.json-", ".alive-"}, func(p string) bool { return strings.HasPrefix(d.Name(), p) })
		if !ours {
			return nil // a look at each lock and incident would take its time
		}
		if info, err := d.Info(); err == nil && info.Mode().IsRegular() && now.Sub(info.ModTime()) > tempAge {
			_ = os.Remove(path)
		}
		return nil
	})
}
