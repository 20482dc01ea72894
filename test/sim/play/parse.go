package play

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/tools/txtar"
)

// Scenario is one file: a cloud, what happens to it and when, and what one-ft has to do.
type Scenario struct {
	// Sentence says what the scenario protects.
	Sentence string
	// Issues are the numbers of OpenNebula's issues that it is about.
	Issues []int
	// Versions are the families that it runs on, such as "4.4" and "7.4".
	Versions []string
	// Cloud and Config are the lines of the cloud and the text of one-ft.yaml.
	Cloud  []string
	Config string
	// Lenient leaves out events that cannot happen, such as the crash of a VM that does not run:
	// random scenarios have such.
	Lenient bool
	Events  []Event
	// Logs are the expected logs, by the version that has it.
	Logs map[string]string
}

// Event is a line of the time line.
type Event struct {
	At   time.Duration
	Text string
}

// Families are the versions that a scenario runs on when it names none.
func Families() []string { return []string{"4.4", "5.10", "6.10", "7.4"} }

// Releases are all versions that were measured live, by what scenarios call them, oldest first.
func Releases() []string {
	return []string{"4.4", "4.14", "5.4", "5.8", "5.10", "5.12", "6.4", "6.10", "7.4"}
}

// version is the full version of a family (opennebula.md).
func version(family string) string {
	return map[string]string{"4.4": "4.4.1", "4.14": "4.14.2", "5.4": "5.4.16", "5.8": "5.8.6", "5.10": "5.10.6",
		"5.12": "5.12.0.5", "6.4": "6.4.0.1", "6.10": "6.10.0", "7.4": "7.4.1"}[family]
}

// The names of the sections.
const (
	cloudSection  = "cloud"
	configSection = "config"
	lineSection   = "time line"
	logSection    = "log"
)

// Load reads a scenario file.
func Load(path string) (Scenario, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return Scenario{}, err
	}
	s, err := Parse(text)
	if err != nil {
		return s, fmt.Errorf("%s: %w", path, err)
	}
	return s, nil
}

// Parse reads a scenario.
func Parse(text []byte) (Scenario, error) {
	s := Scenario{Versions: Families(), Logs: map[string]string{}}
	archive := txtar.Parse(text)
	if err := s.header(string(archive.Comment)); err != nil {
		return s, err
	}
	for _, f := range archive.Files {
		name, versions, _ := strings.Cut(f.Name, ":")
		switch name {
		case cloudSection:
			s.Cloud = lines(f.Data)
		case configSection:
			s.Config = string(f.Data)
		case lineSection:
			if err := s.timeLine(f.Data); err != nil {
				return s, err
			}
		case logSection:
			for _, v := range strings.Fields(versions) {
				s.Logs[v] = string(f.Data)
			}
		default:
			return s, fmt.Errorf("section %q: known are %s, %s, %s and %s", f.Name, cloudSection, configSection, lineSection, logSection)
		}
	}
	if len(s.Cloud) == 0 || len(s.Events) == 0 {
		return s, fmt.Errorf("the sections %q and %q are needed", cloudSection, lineSection)
	}
	return s, nil
}

// header reads the sentence and the lines behind it.
func (s *Scenario) header(text string) error {
	var words []string
	for line := range strings.Lines(text) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		switch key {
		case "versions":
			s.Versions = strings.Fields(value)
			for _, v := range s.Versions {
				if !slices.Contains(Releases(), v) {
					return fmt.Errorf("version %q: known are %v", v, Releases())
				}
			}
		case "events that cannot happen":
			s.Lenient = strings.TrimSpace(value) == "left out"
		case "issues":
			for _, word := range strings.Fields(value) {
				n, err := strconv.Atoi(word)
				if err != nil {
					return fmt.Errorf("issue %q is no number", word)
				}
				s.Issues = append(s.Issues, n)
			}
		default:
			words = append(words, strings.Fields(line)...)
		}
	}
	s.Sentence = strings.Join(words, " ")
	if s.Sentence == "" {
		return fmt.Errorf("a sentence that says what the scenario protects has to come first")
	}
	return nil
}

var eventLine = regexp.MustCompile(`^(\S+)\s+(.+)$`)

// timeLine reads the events; they are in the order of time, and the last one is "end".
func (s *Scenario) timeLine(text []byte) error {
	last := time.Duration(0)
	for _, line := range lines(text) {
		m := eventLine.FindStringSubmatch(line)
		if m == nil {
			return fmt.Errorf("event %q: a time and what happens, such as 30s host1 loses power", line)
		}
		at, err := time.ParseDuration(m[1])
		switch {
		case err != nil:
			return fmt.Errorf("event %q: %w", line, err)
		case at < last:
			return fmt.Errorf("event %q comes before the one above it", line)
		}
		last = at
		s.Events = append(s.Events, Event{At: at, Text: m[2]})
	}
	if len(s.Events) == 0 || s.Events[len(s.Events)-1].Text != "end" {
		return fmt.Errorf("the last event has to be: end")
	}
	return nil
}

// lines are the lines of a section without comments and blank ones.
func lines(text []byte) (all []string) {
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			all = append(all, line)
		}
	}
	return all
}

// Format writes a scenario as a file. Versions with the same log share a section.
func (s Scenario) Format() []byte {
	var b strings.Builder
	b.WriteString(s.Sentence + "\n")
	if len(s.Issues) > 0 {
		fmt.Fprintf(&b, "issues: %s\n", strings.Trim(fmt.Sprint(s.Issues), "[]"))
	}
	if !slices.Equal(s.Versions, Families()) {
		fmt.Fprintf(&b, "versions: %s\n", strings.Join(s.Versions, " "))
	}
	if s.Lenient {
		b.WriteString("events that cannot happen: left out\n")
	}
	a := txtar.Archive{Comment: []byte(b.String() + "\n")}
	add := func(name, text string) {
		a.Files = append(a.Files, txtar.File{Name: name, Data: []byte(strings.TrimRight(text, "\n") + "\n\n")})
	}
	add(cloudSection, strings.Join(s.Cloud, "\n"))
	if s.Config != "" {
		add(configSection, s.Config)
	}
	var line strings.Builder
	for _, e := range s.Events {
		fmt.Fprintf(&line, "%-7s %s\n", short(e.At), e.Text)
	}
	add(lineSection, line.String())
	for _, group := range s.LogGroups() {
		add(logSection+": "+strings.Join(group, " "), s.Logs[group[0]])
	}
	return txtar.Format(&a)
}

// LogGroups are the versions with a log, those with the same one together.
func (s Scenario) LogGroups() (groups [][]string) {
	for _, v := range Releases() {
		log, has := s.Logs[v]
		if !has {
			continue
		}
		i := slices.IndexFunc(groups, func(g []string) bool { return s.Logs[g[0]] == log })
		if i < 0 {
			groups = append(groups, []string{v})
			continue
		}
		groups[i] = append(groups[i], v)
	}
	return groups
}

// short writes a time as people do: 90s, 5m, 1h10m.
func short(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}
