package hook

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// Flags tells which flags an executable has, by name without dashes, short and
// long names alike, and whether each takes a value (true) or is a switch
// (false). A flag named help or h needs no entry. Names do not start with a
// digit. Build it from the flag list that the flag parser gets, with the flags
// of a subcommand and the global ones together.
type Flags map[string]bool

// Normalize sorts words into flags, with their values, and positionals, both
// in their old order, because urfave/cli/v2 (like the standard library) stops
// looking for flags at the first positional. Hand the result on with Argv.
//
// A flag may have one dash or two whatever its length. Its value follows as
// the next word or after "=". Short flags may be combined, the last one with a
// value: -rf is -r -f, and -rp2 is -r -p=2; a known long name goes first. A
// switch may say =true or =false. A number such as -1 is never a flag. After a
// bare "--" everything is positional. A flag's value is never taken from a word
// that looks like a flag: "--wait --json" is an error, "--wait=--json" is not.
//
// Errors are *UsageError: an unknown flag, a missing value, a value for a
// switch.
func Normalize(words []string, flags Flags) (flagWords, positionals []string, err error) {
	for i := 0; i < len(words); i++ {
		word := words[i]
		if word == "--" {
			return flagWords, append(positionals, words[i+1:]...), nil
		}
		if !isFlag(word) {
			positionals = append(positionals, word)
			continue
		}
		split, open, err := flags.split(word)
		if err != nil {
			return nil, nil, err
		}
		flagWords = append(flagWords, split...)
		if open == "" {
			continue
		}
		i++
		if i == len(words) || isFlag(words[i]) || words[i] == "--" {
			return nil, nil, usagef("option %s needs a value; write %s=…", shown(open), open)
		}
		flagWords = append(flagWords, words[i])
	}
	return flagWords, positionals, nil
}

// Argv joins what Normalize returned to an argument list for the flag parser:
// the program's name, the flags, "--", the positionals. For a program with
// subcommands give the command's name as one more word of program and leave it
// out of positionals.
func Argv(program, flagWords, positionals []string) []string {
	argv := make([]string, 0, len(program)+len(flagWords)+1+len(positionals))
	argv = append(argv, program...)
	argv = append(argv, flagWords...)
	argv = append(argv, "--")
	return append(argv, positionals...)
}

// isFlag reports whether a word is meant as a flag: a dash and more, but not a
// negative number and not "--".
func isFlag(word string) bool {
	return len(word) > 1 && word[0] == '-' && word != "--" && (word[1] < '0' || word[1] > '9')
}

// lookup tells whether a flag exists and whether it takes a value.
func (f Flags) lookup(name string) (takes, known bool) {
	takes, known = f[name]
	return takes, known || name == "help" || name == "h"
}

// split returns the words that one flag word stands for. The last of them is
// also returned as open when its value must be the next word.
func (f Flags) split(word string) (words []string, open string, err error) {
	body := word[1:]
	long := body[0] == '-'
	if long {
		body = body[1:]
	}
	name, value, hasValue := strings.Cut(body, "=")
	takes, known := f.lookup(name)
	switch {
	case name == "" || name[0] == '-':
		return nil, "", usagef("%s is not an option; --help lists them", shown(word))
	case known && takes && !hasValue:
		return []string{word}, word, nil
	case known && !takes && hasValue:
		if _, err := strconv.ParseBool(value); err != nil {
			return nil, "", usagef("option %s takes no value; put a space between the words", shown(word))
		}
		return []string{word}, "", nil
	case known:
		return []string{word}, "", nil
	case long:
		return nil, "", unknownFlag(word)
	}
	return f.cluster(word)
}

// cluster splits combined one-letter flags behind a single dash.
func (f Flags) cluster(word string) (words []string, open string, err error) {
	for rest := word[1:]; rest != ""; {
		_, size := utf8.DecodeRuneInString(rest)
		letter := rest[:size]
		rest = rest[size:]
		takes, known := f.lookup(letter)
		switch {
		case !known:
			return nil, "", unknownFlag(word)
		case !takes:
			words = append(words, "-"+letter)
		case rest == "":
			return append(words, "-"+letter), "-" + letter, nil
		default:
			return append(words, "-"+letter+"="+strings.TrimPrefix(rest, "=")), "", nil
		}
	}
	return words, "", nil
}

func unknownFlag(word string) error {
	return usagef("unknown option %s; --help lists them", shown(word))
}
