package messages

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestNothingReadsTexts: programs decide by kinds, results and states, never by the words of an event, an outcome or a
// summary: a message that is worded otherwise changes nothing but the message.
func TestNothingReadsTexts(t *testing.T) {
	reads := regexp.MustCompile(`(?:strings\.(?:Has|Contains|Cut|Index)\w*|MatchString)\(\w+(?:\.\w+)*\.(?:Text|Detail|Summary)\b.*`)
	files := 0
	for _, top := range []string{"pkg", "cmd"} {
		err := filepath.WalkDir(filepath.Join(root, top), func(path string, d fs.DirEntry, err error) error {
			name := strings.TrimPrefix(path, root+"/")
			ours := filepath.Ext(name) == ".go" && !strings.HasSuffix(name, "_test.go") &&
				!strings.HasPrefix(name, "pkg/install/") && !strings.HasPrefix(name, "pkg/marked/") // whose texts are files
			if err != nil || d.IsDir() || !ours {
				return err
			}
			source, err := os.ReadFile(path)
			files++
			for _, found := range reads.FindAllString(string(source), -1) {
				t.Errorf("%s: %s", name, found)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if files < 100 {
		t.Errorf("only %d files were found", files)
	}
}
