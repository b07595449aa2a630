package main

import (
	"context"
	"fmt"
	"io"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"github.com/stormwheel/stormwheel/bench"
	"github.com/stormwheel/stormwheel/bench/result"
)

// print says the run as a command line, if it makes sense. A limit of this machine is no fault of it.
func (c *BenchCmd) print(ctx context.Context, config bench.Config, out io.Writer) error {
	if err := bench.Check(ctx, config); result.ExitCode(err) == result.ExitUsage {
		return c.File.place(err)
	}
	_, err := fmt.Fprintln(out, quoted(c.commandLine()))
	return err
}

// commandLine is a run as words that start the same one: its scenario, and what was said of each flag, wherever.
func (c *BenchCmd) commandLine() []string {
	words := []string{"stormwheel", "bench", c.scenario()}
	for _, f := range c.Flags {
		if f.Name == "help" || f.Name == "print" || f.Target.IsZero() {
			continue
		}
		if f.IsBool() {
			words = append(words, "--"+f.Name)
			continue
		}
		for _, value := range flagTexts(f) {
			if strings.HasPrefix(value, "-") { // the parser would take it for a flag
				words = append(words, "--"+f.Name+"="+value)
			} else {
				words = append(words, "--"+f.Name, value)
			}
		}
	}
	return words
}

// flagTexts are the values of a flag: several of one that is repeated.
func flagTexts(f *kong.Flag) []string {
	if !f.IsSlice() {
		return []string{flagText(f, f.Target)}
	}
	var all []string
	for i := range f.Target.Len() {
		all = append(all, flagText(f, f.Target.Index(i)))
	}
	if f.Tag.Sep < 0 {
		return all
	}
	for i := range all {
		all[i] = strings.ReplaceAll(all[i], ",", `\,`)
	}
	return []string{strings.Join(all, ",")}
}

// flagText is one value as the flag reads it.
func flagText(f *kong.Flag, value reflect.Value) string {
	switch v := value.Interface().(type) {
	case time.Time:
		return v.Format(time.RFC3339Nano)
	case float64:
		if word := numberWords[f.Tag.Type]; word != "" && v < 0 {
			return word
		}
		return strconv.FormatFloat(v, 'f', -1, 64)
	default:
		return fmt.Sprint(v)
	}
}

// numberWords stand for the numbers below 0 of flags that have a word for them.
var numberWords = map[string]string{"probes": "none", "capacity": "search"}

// quoted are words for a shell.
func quoted(words []string) string {
	all := make([]string, len(words))
	for i, word := range words {
		all[i] = word
		if word == "" || strings.ContainsFunc(word, unsafeInShell) {
			all[i] = "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
		}
	}
	return strings.Join(all, " ")
}

func unsafeInShell(r rune) bool {
	return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./:,=@+%", r))
}
