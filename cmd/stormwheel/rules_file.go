package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/stormwheel/stormwheel/bench"
	"github.com/stormwheel/stormwheel/bench/result"
)

// ruleSet is what files say of how a run is judged.
type ruleSet struct {
	Thresholds []string
	NoPromises bool
	AbortOn    []string
	AbortAfter time.Duration
}

// addTo adds them to what the flags say; of two --abort-after the flag's counts.
func (r *ruleSet) addTo(c *bench.Config) {
	c.Thresholds = append(c.Thresholds, r.Thresholds...)
	c.NoPromises = c.NoPromises || r.NoPromises
	c.AbortOn = append(c.AbortOn, r.AbortOn...)
	if c.AbortAfter == 0 {
		c.AbortAfter = r.AbortAfter
	}
}

// ruleKeys are what a rules file may say.
var ruleKeys = []string{"thresholds", "promises", "abort-on", "abort-after"}

// readRules reads files one after the other. The error names the file and the line.
func readRules(paths []string) (*ruleSet, error) {
	var all ruleSet
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, usageError{fmt.Errorf("--rules: %w", err)}
		}
		if err := all.read(text); err != nil {
			return nil, usageError{fmt.Errorf("--rules: %s: %w", path, err)}
		}
	}
	return &all, nil
}

// read adds a file: a list of thresholds, or a mapping with the keys of ruleKeys.
func (r *ruleSet) read(text []byte) error {
	var doc yaml.Node
	switch err := yaml.NewDecoder(bytes.NewReader(text)).Decode(&doc); {
	case errors.Is(err, io.EOF):
		return errors.New("it says nothing")
	case err != nil:
		return err
	}
	root := doc.Content[0]
	if root.Kind == yaml.SequenceNode {
		return expressions(root, &r.Thresholds)
	}
	if root.Kind != yaml.MappingNode {
		return fmt.Errorf("line %d: neither a list of thresholds nor %s", root.Line, strings.Join(ruleKeys, ", "))
	}
	for i := 0; i+1 < len(root.Content); i += 2 {
		if err := r.set(root.Content[i], root.Content[i+1]); err != nil {
			return err
		}
	}
	return nil
}

func (r *ruleSet) set(key, value *yaml.Node) error {
	switch key.Value {
	case "thresholds":
		return expressions(value, &r.Thresholds)
	case "abort-on":
		return expressions(value, &r.AbortOn)
	case "promises":
		var judged bool
		if err := value.Decode(&judged); err != nil {
			return fmt.Errorf("line %d: promises: %q is neither true nor false", value.Line, value.Value)
		}
		r.NoPromises = r.NoPromises || !judged
	case "abort-after":
		d, err := time.ParseDuration(value.Value)
		if err != nil {
			return fmt.Errorf("line %d: abort-after: %q is no duration, as in 5s", value.Line, value.Value)
		}
		r.AbortAfter = d
	default:
		return fmt.Errorf("line %d: no %q; did you mean %s? There are %s", key.Line, key.Value, nearest(key.Value, ruleKeys), strings.Join(ruleKeys, ", "))
	}
	return nil
}

// expressions are those of a list, or a single one. Each is read, so that the line of a wrong one can be said.
func expressions(n *yaml.Node, to *[]string) error {
	list := n.Content
	if n.Kind == yaml.ScalarNode {
		list = []*yaml.Node{n}
	} else if n.Kind != yaml.SequenceNode {
		return fmt.Errorf("line %d: want a list of expressions, as in - heartbeat.rtt_ms.p99 < 50", n.Line)
	}
	for _, one := range list {
		if one.Kind != yaml.ScalarNode {
			return fmt.Errorf("line %d: want an expression, as in heartbeat.rtt_ms.p99 < 50; put one that begins with a bracket or a brace in quotes", one.Line)
		}
		if _, err := result.ParseThreshold(one.Value); err != nil {
			return fmt.Errorf("line %d: %w", one.Line, err)
		}
		*to = append(*to, one.Value)
	}
	return nil
}
