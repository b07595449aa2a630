//go:build linux

package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/stormwheel/stormwheel/bench/benchtest"
	"github.com/stormwheel/stormwheel/bench/handshakes"
	"github.com/stormwheel/stormwheel/bench/result"
	"github.com/stormwheel/stormwheel/bench/scenario"
	"github.com/stormwheel/stormwheel/bench/tally"
)

const schemaFile = "../docs/bench-result.schema.json"

// go test ./bench -run TestTheSchemaIsThatOfTheTypes -update
var update = flag.Bool("update", false, "write docs/bench-result.schema.json")

// nullLists are the lists that are null rather than empty when there is nothing.
var nullLists = map[string]bool{
	"parts": true, "cohorts": true, "detail.command": true, "detail.phases": true, "detail.events": true, "detail.seconds": true, "detail.seconds.N.servers": true, "detail.seconds.N.counts": true, "detail.seconds.N.histograms": true, "detail.attempts_per_100ms": true,
	"repeats": true, "spread": true, "scraped": true, "detail.scraped": true, "detail.lost_per_100ms": true, "detail.back_per_100ms": true,
}

// object keeps the order of its members.
type object []schemaMember

type schemaMember struct {
	name  string
	value any
}

func (o object) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	for i, m := range o {
		if i > 0 {
			b.WriteByte(',')
		}
		v, err := json.Marshal(m.value)
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&b, "%q:%s", m.name, v)
	}
	return []byte("{" + b.String() + "}"), nil
}

// schemaOf describes a type of the result. words are the rows of docs/BENCH.md.
func schemaOf(t reflect.Type, path string, words map[string]string) object {
	var null bool
	for ; t.Kind() == reflect.Pointer; t = t.Elem() {
		null = true
	}
	kind := func(name string) any {
		if null {
			return []string{name, "null"}
		}
		return name
	}
	var o object
	switch {
	case t == reflect.TypeFor[time.Time]():
		o = object{{"type", kind("string")}, {"format", "date-time"}}
	case t == reflect.TypeFor[result.Verdict]():
		o = object{{"enum", []result.Verdict{result.Pass, result.Fail, result.Invalid}}}
	case path == "schema":
		o = object{{"const", result.Schema}}
	case path == "scenario":
		var names []string
		for _, s := range scenario.All {
			names = append(names, s.Name())
		}
		o = object{{"enum", names}}
	case t.Kind() == reflect.Struct:
		var members object
		var required []string
		for i := range t.NumField() {
			name := benchtest.FieldName(t.Field(i))
			members = append(members, schemaMember{name, schemaOf(t.Field(i).Type, strings.TrimPrefix(path+"."+name, "."), words)})
			required = append(required, name)
		}
		o = object{{"type", kind("object")}, {"properties", members}, {"required", required}, {"additionalProperties", false}}
	case t.Kind() == reflect.Slice:
		null = nullLists[path]
		o = object{{"type", kind("array")}, {"items", schemaOf(t.Elem(), path+".N", words)}}
	case t.Kind() == reflect.Map && t.Elem().Kind() == reflect.Struct:
		null = nullLists[path]
		o = object{{"type", kind("object")}, {"additionalProperties", schemaOf(t.Elem(), path+".NAME", words)}}
	case t.Kind() == reflect.Map:
		null = nullLists[path]
		member := object{{"type", "string"}, {"contentEncoding", "base64"}}
		if t.Elem().Kind() == reflect.Int {
			member = object{{"type", "integer"}}
		}
		o = object{{"type", kind("object")}, {"additionalProperties", member}}
	case t.Kind() == reflect.Float64:
		o = object{{"type", kind("number")}}
	case t.Kind() == reflect.Uint32, t.Kind() == reflect.Uint64:
		o = object{{"type", kind("integer")}, {"minimum", 0}}
	case t.Kind() == reflect.Int, t.Kind() == reflect.Int64:
		o = object{{"type", kind("integer")}}
	case t.Kind() == reflect.Bool:
		o = object{{"type", kind("boolean")}}
	case t.Kind() == reflect.String:
		o = object{{"type", kind("string")}}
	default:
		panic(path + ": a " + t.String() + " has no schema")
	}
	if text := words[path]; text != "" {
		o = append(o, schemaMember{"description", text})
	}
	return o
}

// words are unit and meaning of every field, from the page.
func words(t *testing.T) map[string]string {
	all := map[string]string{}
	for _, row := range table(t, "| field | unit | meaning |", 3) {
		cells := strings.SplitN(row, " | ", 3)
		if cells[1] != "" && cells[2] != "" {
			cells[1] += ": "
		}
		all[cells[0]] = cells[1] + cells[2]
	}
	return all
}

func TestTheSchemaIsThatOfTheTypes(t *testing.T) {
	root := append(object{
		{"$schema", "https://json-schema.org/draft/2020-12/schema"},
		{"title", "The result of stormwheel bench"},
		{"description", "Made from the types of package bench and the table of docs/BENCH.md; do not edit."},
	}, schemaOf(reflect.TypeFor[result.Result](), "", words(t))...)
	raw, err := json.Marshal(root)
	if err != nil {
		t.Fatal(err)
	}
	var want bytes.Buffer
	if err := json.Indent(&want, raw, "", "  "); err != nil {
		t.Fatal(err)
	}
	want.WriteByte('\n')
	if *update {
		if err := os.WriteFile(schemaFile, want.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(schemaFile); err != nil || !bytes.Equal(got, want.Bytes()) {
		t.Errorf("%s is not that of the types (%v); make it anew: go test ./bench -run TestTheSchemaIsThatOfTheTypes -update", schemaFile, err)
	}
}

// validate holds a result, as it is written, against the published schema.
func validate(t *testing.T, r *result.Result) error {
	t.Helper()
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	schema, err := compiler.Compile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := r.WriteJSON(&b); err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(&b)
	if err != nil {
		t.Fatal(err)
	}
	return schema.Validate(doc)
}

func TestEveryScenariosOutputFitsTheSchema(t *testing.T) {
	type run struct{ scenario, kind string }
	var all []run
	for _, s := range scenario.All {
		if s.Name() != "storm" && s.Name() != "handshake" { // nodes of this package's tests have no TLS
			all = append(all, run{s.Name(), ""})
		}
	}
	for _, kind := range scenario.Kinds() {
		if kind == "external" { // see TestACommandStrikesAServerThatIsNotTheRuns
			continue
		}
		all = append(all, run{"storm", kind})
	}
	for _, one := range all {
		cfg := spawned(t, "good", one.scenario, 2, 40)
		t.Run(one.scenario+one.kind, func(t *testing.T) {
			t.Parallel() // each waits most of the time
			switch {
			case one.scenario == "demo":
				cfg.Kind = "kill"
			case one.scenario == "find-max":
				cfg.Goal = "heartbeat.missed==0"
			case one.kind != "":
				cfg.Kind, cfg.PongTimeout = one.kind, time.Second
				if one.kind == "blackout" || one.kind == "grey" {
					cfg.Outage = 500 * time.Millisecond
				}
			case one.scenario == "phases":
				cfg.Conns, cfg.Phases = 0, []scenario.Phase{{Do: "ramp", Clients: 100}}
			}
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			r, err := Run(ctx, cfg, View{})
			if r == nil {
				t.Fatal(err)
			}
			for _, p := range r.Detail.Phases {
				if parts := scenario.Named(one.scenario).Parts(&cfg); p.Name != "answers" && p.Name != "end" && !slices.Contains(parts, p.Name) {
					t.Errorf("it entered %q, which is none of %q", p.Name, parts)
				}
			}
			if err := validate(t, r); err != nil {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestHandshakesFitTheSchema(t *testing.T) {
	r := benchtest.Part(1, time.Unix(1000, 0).UTC(), 1)
	r.Thresholds = []result.ThresholdSeen{}
	for _, seen := range []handshakes.Seen{{Failed: 2, Latency: tally.NewHist()}, {Ended: 1, Took: time.Second, Latency: tally.NewHist()}} {
		if r.Handshake = handshakeOf(&seen, 5, false, nil); r.Handshake.Open != 5 {
			t.Errorf("%+v", r.Handshake)
		}
		if err := validate(t, r); err != nil {
			t.Errorf("%v", err)
		}
	}
}

func TestAMergeFitsTheSchema(t *testing.T) {
	at := time.Unix(1000, 0).UTC()
	m, err := tally.Merge([]*result.Result{benchtest.Part(1, at, 1), benchtest.Part(2, at, 1)}, nil, false, nil)
	if m == nil {
		t.Fatal(err)
	}
	m.Verdict = result.Pass
	if err := validate(t, m); err != nil {
		t.Errorf("%v", err)
	}
}

func TestTheSchemaForbidsWhatIsNotInIt(t *testing.T) {
	compiler := jsonschema.NewCompiler()
	schema, err := compiler.Compile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	r := benchtest.Part(1, time.Unix(1000, 0).UTC(), 1)
	r.Thresholds, r.Verdict = []result.ThresholdSeen{}, result.Pass
	for _, tt := range []struct {
		name   string
		change func(doc map[string]any)
		good   bool
	}{
		{"as it is", func(map[string]any) {}, true},
		{"null storm", func(d map[string]any) { d["storm"] = nil }, true},
		{"another field", func(d map[string]any) { d["extra"] = 1 }, false},
		{"another field below", func(d map[string]any) { d["conns"].(map[string]any)["extra"] = 1 }, false},
		{"a field is missing", func(d map[string]any) { delete(d, "verdict") }, false},
		{"null where there is always a count", func(d map[string]any) { d["conns"].(map[string]any)["end"] = nil }, false},
		{"null list of servers", func(d map[string]any) { d["server"] = nil }, false},
		{"another verdict", func(d map[string]any) { d["verdict"] = "maybe" }, false},
		{"another schema", func(d map[string]any) { d["schema"] = "stormwheel.bench/v1" }, false},
		{"half a client", func(d map[string]any) { d["conns"].(map[string]any)["end"] = 0.5 }, false},
	} {
		doc := benchtest.Doc(t, r).(map[string]any)
		tt.change(doc)
		if err := schema.Validate(doc); (err == nil) != tt.good {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}
