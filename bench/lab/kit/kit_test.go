package kit

import (
	"context"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestNumbersHaveThreeDigits(t *testing.T) {
	for v, want := range map[float64]string{0: "0", 0.123: "0.12", 1.5: "1.50", 2: "2", 12.34: "12.3", 1234.5: "1,235", -896: "-896",
		0.00037: "0.00037", 0.031: "0.031", 0.5: "0.50", 9.994: "9.99", 9.996: "10.0", 99.96: "100", 1234567: "1,234,567", math.Inf(1): "never"} {
		if got := Number(v); got != want {
			t.Errorf("Number(%g) = %q, want %q", v, got, want)
		}
	}
}

func TestAVerdictSaysByHowMuch(t *testing.T) {
	const both = "not missed: the interval lies on both sides"
	one := func(v ...float64) Sample { return SampleOf(v) }
	for _, test := range []struct {
		t            Target
		wanted, got  string
		verdict      string
		beyondDoubts bool
	}{
		{Target{AtMost: new(512.0), Unit: " B", Of: one(500, 512, 520)}, "at most 512 B", "512 B [500 - 520]", "reached", false},
		{Target{AtMost: new(512.0), Unit: " B", Of: one(640, 600, 700), Why: "Because."}, "at most 512 B", "640 B [600 - 700]", "**missed** by 128 B. Because.", true},
		{Target{AtMost: new(512.0), Unit: " B"}, "at most 512 B", "-", "not measured", false},
		{Target{AtLeast: new(80.0), Unit: " %", Of: one(70, 80, 90)}, "at least 80 %", "80 % [70 - 90]", "reached", false},
		{Target{AtLeast: new(80.0), Unit: " %", Of: one(60), Why: "Because."}, "at least 80 %", "60 %", "**missed** by 20 %. Because.", true},
		{Target{AtLeast: new(20.0), Unit: "x", Of: one(50), From: "2 x 10"}, "at least 20x (2 x 10)", "50x", "reached", false},
		// Six rounds and more: the interval decides.
		{Target{AtMost: new(6.5), Of: one(1, 2, 3, 4, 5, 6)}, "at most 6.50", "3.50 [1 - 6]", "reached", false},
		{Target{AtMost: new(3.0), Of: one(1, 2, 3, 4, 5, 6)}, "at most 3", "3.50 [1 - 6]", both, false},
		{Target{AtMost: new(4.0), Of: one(1, 2, 3, 4, 5, 6)}, "at most 4", "3.50 [1 - 6]", both, false},
		{Target{AtMost: new(0.5), Of: one(1, 2, 3, 4, 5, 6)}, "at most 0.50", "3.50 [1 - 6]", "**missed** by 3", true},
		// The worst round decides.
		{Target{AtMost: new(550.0), Unit: " ms", Worst: true, Of: one(20, 550, 30)}, "at most 550 ms", "30 ms [20 - 550]", "reached", false},
		{Target{AtMost: new(550.0), Unit: " ms", Worst: true, Of: one(20, 600, 30)}, "at most 550 ms", "30 ms [20 - 600]", "**missed** in 1 of 3 rounds, by 50 ms", true},
		{Target{AtMost: new(12.0), Unit: " s", Worst: true, Of: one(11, math.Inf(1))}, "at most 12 s", "never [11 - never]", "**missed** in 1 of 2 rounds: never reached", true},
		{Target{AtLeast: new(9000.0), AtMost: new(9000.0), Worst: true, Of: one(9000, 9000)}, "9,000", "9,000", "reached", false},
		{Target{AtLeast: new(9000.0), AtMost: new(9000.0), Worst: true, Of: one(9000, 8998)}, "9,000", "8,999 [8,998 - 9,000]", "**missed** in 1 of 2 rounds, by 2", true},
		{Target{AtLeast: new(0.9), AtMost: new(1.1), Worst: true, Of: one(0.95, 0.85)}, "0.90 to 1.10", "0.90 [0.85 - 0.95]", "**missed** in 1 of 2 rounds, by 0.05", true},
	} {
		if test.t.wanted() != test.wanted || test.t.got() != test.got || test.t.Verdict() != test.verdict || test.t.Missed() != test.beyondDoubts {
			t.Errorf("%+v:\nsays %q, %q, %q, missed %v\nwant %q, %q, %q", test.t, test.t.wanted(), test.t.got(), test.t.Verdict(), test.t.Missed(), test.wanted, test.got, test.verdict)
		}
	}
}

func TestSubjectsTakeTurnsThereAndBack(t *testing.T) {
	var got []string
	for _, s := range Turns(3, Step{Workload: "w", Size: 7}, []string{"a", "b", "c"}, func(subject string, round int) bool { return round < 2 || subject != "c" }) {
		got = append(got, s.Subject)
	}
	if want := strings.Split("abccbaab", ""); !slices.Equal(got, want) {
		t.Errorf("turns %v, want %v", got, want)
	}
}

// toy fails once, and gives a round's number for its other figures.
var toy = Section{Name: "toy",
	Steps: func(k *Kept) []Step {
		k.Note("absent", "c: not here")
		return Turns(2, Step{Workload: "w"}, []string{"a", "b"}, nil)
	},
	Measure: func(_ context.Context, _ *Kept, r *Record) error {
		if r.Subject == "b" && r.Round == 0 {
			return errors.New("no\nanswer")
		}
		r.Figures["x"] = float64(r.Round + 1)
		r.Said = "so"
		return nil
	},
	Write: func(p *Page, k *Kept) error {
		p.Printf("%s %v\n\n", k.Command, k.Notes["absent"])
		p.Compare(k, Step{Workload: "w"}, Comparison{Rows: []Row{{"a", "A"}, {"b", "B"}, {"c", "C"}}, Ours: "a", Floor: "b", FloorName: "b's",
			Columns: []Column{{Title: "x", Name: "x", Spread: true, Ratios: true}, {Title: "y", Name: "y"}}})
		p.Picture("toy.svg", "toy", "<svg/>")
		return nil
	}}

func TestWhatWasMeasuredIsKeptAndWrittenAgain(t *testing.T) {
	dir := t.TempDir()
	p := Place{Out: filepath.Join(dir, "new", "out"), Page: filepath.Join(dir, "page.md"), Images: filepath.Join(dir, "img")}
	k, err := Run(t.Context(), p, toy, Effort{Name: "tiny"}, "make toy", io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if err := Write(toy, k); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(p.Page)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"make toy [c: not here]",
		"|  | x | of b's | Stormwheel's of it | y |",
		"| A | 1.50 [1 - 2] | 1.00x | 1.00x | - |",
		"| B | 2 | 1.00x | 1.00x | - |",
		"![toy](docs/img/toy.svg)",
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the section lacks %q:\n%s", want, text)
		}
	}
	again, err := Load(p, "toy")
	if err != nil {
		t.Fatal(err)
	}
	if again.Problem(Step{Workload: "w", Subject: "b"}) != "no answer" || again.Where != k.Where || again.Records[0].Said != "so" {
		t.Errorf("kept %+v", again)
	}
	if err := Write(toy, again); err != nil {
		t.Fatal(err)
	}
	if after, err := os.ReadFile(p.Page); err != nil || string(after) != string(text) {
		t.Errorf("what was kept is written as (%v)\n%s\nwant\n%s", err, after, text)
	}
	if svg, err := os.ReadFile(filepath.Join(p.Images, "toy.svg")); err != nil || string(svg) != "<svg/>" {
		t.Errorf("the picture is %q, %v", svg, err)
	}
	if _, err := Load(p, "other"); err == nil {
		t.Error("there is a section that nobody measured")
	}
}

func TestOnlyWhatIsWantedIsMeasured(t *testing.T) {
	p := Place{Out: t.TempDir()}
	k, err := Run(t.Context(), p, toy, Effort{Subjects: []string{"a"}}, "", io.Discard)
	if err != nil || len(k.Records) != 2 || k.Records[1].Subject != "a" {
		t.Errorf("measured %v, %v", k, err)
	}
	if _, err := Run(t.Context(), p, toy, Effort{Workloads: []string{"none"}}, "", io.Discard); err == nil || !strings.Contains(err.Error(), "not here") || !strings.Contains(err.Error(), `no "none", but `) {
		t.Errorf("nothing to measure: %v", err)
	}
}
