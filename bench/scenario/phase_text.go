package scenario

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/stormwheel/stormwheel/bench/result"
)

// phaseWords are what can be said of a phase, in the order in which String has it.
var phaseWords = append(phaseKinds, "rate", "profile", "steps", "fraction", "for")

// UnmarshalText reads a phase as a flag has it, ramp=3000,rate=500.
func (p *Phase) UnmarshalText(text []byte) error {
	for pair := range strings.SplitSeq(string(text), ",") {
		word, value, ok := strings.Cut(pair, "=")
		if !ok {
			return fmt.Errorf("%q is not DO=VALUE, as in ramp=3000,rate=500", pair)
		}
		if err := p.Set(strings.TrimSpace(word), strings.TrimSpace(value)); err != nil {
			return err
		}
	}
	return p.Whole()
}

// Set says one thing of a phase, as a file has it under the word.
func (p *Phase) Set(word, value string) (err error) {
	switch word {
	case "ramp", "hold", "churn", "silence", "storm":
		if p.Do != "" && p.Do != word {
			return fmt.Errorf("it is both %s and %s; make two phases of it", p.Do, word)
		}
		p.Do = word
	}
	switch word {
	case "ramp":
		p.Clients, err = wholeNumber(value)
	case "hold", "churn", "for":
		p.For, err = durationOf(value)
	case "silence", "fraction":
		p.Fraction, err = shareOf(value)
	case "storm":
		p.Kind = value
	case "rate":
		p.Rate, err = numberOf(value)
	case "profile":
		p.Profile = value
	case "steps":
		p.Steps, err = wholeNumber(value)
	default:
		if near := result.Nearest(word, phaseWords); near != "" {
			return fmt.Errorf("a phase has no %q; did you mean %q?", word, near)
		}
		return fmt.Errorf("a phase has no %q; it is a ramp, hold, churn, silence or storm, with rate, profile, steps, fraction and for", word)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", word, err)
	}
	return nil
}

// Whole says what is missing of a phase when all is said, or does not go together.
func (p *Phase) Whole() error {
	switch {
	case p.Do == "":
		return fmt.Errorf("it is none of ramp, hold, churn, silence, storm")
	case p.Do != "ramp" && (p.Rate != 0 || p.Profile != "" || p.Steps != 0):
		return fmt.Errorf("rate, profile and steps are for a ramp, not for %s", p.Do)
	case p.For != 0 && (p.Do == "ramp" || p.Do == "silence"), p.Fraction != 0 && p.Do != "silence" && p.Do != "storm":
		return fmt.Errorf("fraction and for are for a storm, not for %s", p.Do)
	case p.Do == "storm" && p.Kind == "":
		return fmt.Errorf("storm: there are %s", strings.Join(Kinds(), ", "))
	}
	return nil
}

// String is what UnmarshalText reads.
func (p Phase) String() string {
	said := map[string]string{p.Do: p.Kind, "profile": p.Profile}
	switch p.Do {
	case "ramp":
		said["ramp"] = strconv.Itoa(p.Clients)
	case "hold", "churn":
		said[p.Do] = p.For.String()
	case "silence":
		said["silence"] = plainNumber(p.Fraction)
	case "storm":
		said["fraction"] = plainNumber(p.Fraction)
		if p.For != 0 {
			said["for"] = p.For.String()
		}
	}
	said["rate"] = plainNumber(p.Rate)
	if p.Steps != 0 {
		said["steps"] = strconv.Itoa(p.Steps)
	}
	var all []string
	for _, word := range phaseWords {
		if said[word] != "" {
			all = append(all, word+"="+said[word])
		}
	}
	return strings.Join(all, ",")
}

// plainNumber is empty for 0, which was not said.
func plainNumber(v float64) string {
	if v == 0 {
		return ""
	}
	return strconv.FormatFloat(v, 'f', -1, 64)
}

func wholeNumber(text string) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0, fmt.Errorf("%q is not a whole number", text)
	}
	return n, nil
}

func numberOf(text string) (float64, error) {
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return 0, fmt.Errorf("%q is not a number", text)
	}
	return v, nil
}

func durationOf(text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if err != nil {
		return 0, fmt.Errorf("%q is not a duration, as in 10s", text)
	}
	return d, nil
}

// shareOf reads 5% or 0.05.
func shareOf(text string) (float64, error) {
	digits, percent := strings.CutSuffix(text, "%")
	v, err := strconv.ParseFloat(strings.TrimSpace(digits), 64)
	if err != nil {
		return 0, fmt.Errorf("%q is no share, as in 5%% or 0.05", text)
	}
	if percent {
		v /= 100
	}
	return v, nil
}
