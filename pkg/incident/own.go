package incident

import (
	"os"
	"path/filepath"
	"syscall"
)

// OwnLikeParent gives a file or directory that root has just made to the owner of
// the directory that it is in. Admins run one-ft as root, hooks run as oneadmin, and
// what the one made first must not shut the other out.
func OwnLikeParent(path string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	info, err := os.Stat(filepath.Dir(path))
	if err != nil {
		return err
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return nil
	}
	return os.Lchown(path, int(owner.Uid), int(owner.Gid))
}

// makeDir makes a directory and those above it that are missing.
func makeDir(dir string) error {
	if info, err := os.Stat(dir); err == nil {
		if !info.IsDir() {
			return &os.PathError{Op: "mkdir", Path: dir, Err: syscall.ENOTDIR}
		}
		return nil
	}
	if parent := filepath.Dir(dir); parent != dir {
		if err := makeDir(parent); err != nil {
			return err
		}
	}
	err := os.Mkdir(dir, 0o755)
	switch {
	case os.IsExist(err): // another process was faster
		return nil
	case err != nil:
		return err
	}
	return OwnLikeParent(dir)
}
