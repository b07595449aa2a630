package main

import (
	"errors"
	"reflect"
	"strconv"
	"strings"

	"github.com/alecthomas/kong"
	"go.yaml.in/yaml/v3"

	"github.com/stormwheel/stormwheel/bench/scenario"
)

// value is what a key says, as the parser of the flags takes it.
func (f *runFile) value(flag *kong.Flag, node *yaml.Node) (any, error) {
	items, err := f.items(flag, node)
	switch {
	case err != nil:
		return nil, err
	case len(items) == 0:
		return nil, f.fault(node, "%s has no value", flag.Name)
	case flag.IsBool():
		on, err := strconv.ParseBool(items[0])
		if err != nil {
			return nil, f.fault(node, "%s: %q is neither true nor false", flag.Name, items[0])
		}
		return on, nil
	case flag.IsSlice() && flag.Tag.Sep < 0: // each item stands for itself
		all := make([]any, len(items))
		for i, item := range items {
			all[i] = item
		}
		return all, nil
	case flag.IsSlice():
		for i := range items {
			items[i] = strings.ReplaceAll(items[i], ",", `\,`)
		}
	}
	return strings.Join(items, ","), nil
}

// items are the words of a value: of a list one each; of a map NAME=VALUE, or of shares NAME:VALUE.
func (f *runFile) items(flag *kong.Flag, node *yaml.Node) (items []string, err error) {
	switch {
	case flag.Name == "phase" && node.Kind != yaml.SequenceNode:
		return nil, f.fault(node, "phases are a list, as in - hold: 10s")
	case node.Kind == yaml.ScalarNode:
		if node.Tag == "!!null" {
			return nil, nil
		}
		return []string{scalar(node)}, nil
	case node.Kind == yaml.MappingNode:
		between := ":"
		if flag.IsSlice() {
			between = "="
		}
		for i := 0; i+1 < len(node.Content); i += 2 {
			value := aliased(node.Content[i+1])
			if value.Kind != yaml.ScalarNode {
				return nil, f.fault(value, "%s: %s is not one word", flag.Name, node.Content[i].Value)
			}
			items = append(items, node.Content[i].Value+between+scalar(value))
		}
		return items, nil
	}
	for _, item := range node.Content {
		switch item = aliased(item); {
		case flag.Name == "phase":
			text, err := f.phase(item)
			if err != nil {
				return nil, err
			}
			items = append(items, text)
		case item.Kind != yaml.ScalarNode:
			return nil, f.fault(item, "%s: this is not one word", flag.Name)
		default:
			items = append(items, scalar(item))
		}
	}
	return items, nil
}

// phase is one of the list, as the flag has it.
func (f *runFile) phase(node *yaml.Node) (string, error) {
	f.phases = append(f.phases, node.Line)
	number := len(f.phases)
	var p scenario.Phase
	if node.Kind == yaml.ScalarNode {
		if err := p.UnmarshalText([]byte(node.Value)); err != nil {
			return "", f.fault(node, "phase %d: %w", number, err)
		}
		return p.String(), nil
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i], aliased(node.Content[i+1])
		if value.Kind != yaml.ScalarNode {
			return "", f.fault(value, "phase %d: %s is not one word", number, key.Value)
		}
		if err := p.Set(key.Value, scalar(value)); err != nil {
			return "", f.fault(key, "phase %d: %w", number, err)
		}
	}
	if err := p.Whole(); err != nil {
		return "", f.fault(node, "phase %d: %w", number, err)
	}
	if p.Do == "storm" {
		f.storm = p
	}
	return p.String(), nil
}

// aliased is what a node stands for.
func aliased(node *yaml.Node) *yaml.Node {
	for node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	return node
}

// scalar is a word as it is written, but for numbers, of which YAML has forms that flags have not.
func scalar(node *yaml.Node) string {
	var n int64
	var v float64
	switch node.Tag {
	case "!!int":
		if node.Decode(&n) == nil {
			return strconv.FormatInt(n, 10)
		}
	case "!!float":
		if node.Decode(&v) == nil {
			return strconv.FormatFloat(v, 'f', -1, 64)
		}
	}
	return node.Value
}

// readable tries a value on the flag, and changes nothing. The error does not name the flag.
func readable(flag *kong.Flag, value any) error {
	try := *flag.Value
	scan := kong.Scan().PushTyped(value, kong.FlagValueToken)
	err := try.Parse(scan, reflect.New(flag.Target.Type()).Elem())
	if err == nil {
		return nil
	}
	return errors.New(strings.TrimPrefix(err.Error(), "--"+flag.Name+": "))
}
