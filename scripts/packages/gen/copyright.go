package main

import (
	"context"
	"debug/buildinfo"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// apache is where packages of a kind have the text of the licence, which they must not
// hold again (Debian policy 12.5).
func apache(kind string) string {
	if kind == "deb" {
		return "On Debian systems its text is in /usr/share/common-licenses/Apache-2.0."
	}
	return "Its text is in the file LICENSE beside this one."
}

// copyright writes what the executables are made of, with the licences that have to come
// with them: ours, that of each module that is linked in, and that of Go itself.
func copyright(ctx context.Context, out io.Writer, kind string, executables []string) error {
	modules, err := modulesOf(executables)
	if err != nil {
		return err
	}
	dirs, err := moduleDirs(ctx, modules)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "one-ft\n\nCopyright: the authors of one-ft\n\nLicensed under the Apache License, version 2.0.\n%s\n\n", apache(kind))
	fmt.Fprintf(out, "The executables are static and hold these modules of Go, and Go's own library and\nruntime, each under its licence below.\n")
	goRoot, err := exec.CommandContext(ctx, "go", "env", "GOROOT").Output()
	if err != nil {
		return fmt.Errorf("find Go's licence: %w", err)
	}
	dirs["Go "+strings.TrimPrefix(runtime.Version(), "go")] = strings.TrimSpace(string(goRoot))
	for _, name := range slices.Sorted(maps.Keys(dirs)) {
		texts, err := licences(dirs[name])
		if err != nil {
			return fmt.Errorf("the licence of %s: %w", name, err)
		}
		fmt.Fprintf(out, "\n%s\n%s\n\n", strings.Repeat("-", 80), name)
		for _, text := range texts {
			if strings.Contains(text, "TERMS AND CONDITIONS FOR USE, REPRODUCTION, AND DISTRIBUTION") {
				text = "Licensed under the Apache License, version 2.0.\n" + apache(kind) + "\n"
			}
			fmt.Fprintln(out, strings.TrimSpace(text))
		}
	}
	return nil
}

// modulesOf are the modules that are linked into executables, as PATH@VERSION.
func modulesOf(executables []string) (modules []string, err error) {
	for _, path := range executables {
		info, err := buildinfo.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("read what %s is made of: %w", path, err)
		}
		for _, m := range info.Deps {
			modules = append(modules, m.Path+"@"+m.Version)
		}
	}
	slices.Sort(modules)
	return slices.Compact(modules), nil
}

// moduleDirs says where the sources of these modules are.
func moduleDirs(ctx context.Context, modules []string) (map[string]string, error) {
	list, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Path}}@{{.Version}}\t{{.Dir}}", "all").Output()
	if err != nil {
		return nil, fmt.Errorf("list the modules: %w", err)
	}
	dirs := map[string]string{}
	for line := range strings.Lines(string(list)) {
		if module, dir, _ := strings.Cut(strings.TrimSpace(line), "\t"); slices.Contains(modules, module) {
			dirs[strings.Replace(module, "@", " ", 1)] = dir
		}
	}
	if len(dirs) != len(modules) {
		return nil, fmt.Errorf("of the modules %v only %d are in go.mod: build the executables anew", modules, len(dirs))
	}
	return dirs, nil
}

// licences are the texts that come with a module: its licence, and notices that have to be
// passed on.
func licences(dir string) (texts []string, err error) {
	for _, pattern := range []string{"LICENSE*", "NOTICE*"} {
		files, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			return nil, err
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				return nil, err
			}
			texts = append(texts, string(text))
		}
	}
	if len(texts) == 0 {
		return nil, fmt.Errorf("none in %s", dir)
	}
	return texts, nil
}
