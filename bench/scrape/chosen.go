package scrape

import (
	"fmt"
	"net"
	"net/url"
	"regexp"
	"strings"
)

// Chosen is a --scrape: where, and which series; none: the usual ones.
type Chosen struct {
	// URL is where metrics are; Nodes: at the admin addresses of all servers.
	URL    string
	Series []Series
}

// Nodes stands for the admin addresses that are known.
const Nodes = "nodes"

// Series is one line of a picture, and the sum of what it matches.
type Series struct {
	Name   string // in the result
	Text   string // as it was written
	Metric string
	Labels map[string]string // that a sample must have
}

// usual are the series of which those are read that there are, where none are named.
var usual = []string{"process_cpu_seconds_total", "process_resident_memory_bytes", "process_open_fds", "go_goroutines", "stormwheel_sessions", "stormwheel_connections"}

var (
	seriesForm = regexp.MustCompile(`^(?:([A-Za-z_][A-Za-z0-9_-]*)=)?([A-Za-z_:][A-Za-z0-9_:]*)(?:\{(.*)\})?$`)
	labelForm  = regexp.MustCompile(`^\s*([A-Za-z_][A-Za-z0-9_]*)\s*=\s*"((?:[^"\\]|\\.)*)"\s*(?:,|$)`)
)

// Parse reads URL[,SERIES...]. A URL may be HOST:PORT, of which it is /metrics, or Nodes; a SERIES is
// [NAME=]METRIC[{LABEL="VALUE",...}].
func Parse(text string) (c Chosen, err error) {
	parts := splitOutside(text)
	if c.URL, err = address(parts[0]); err != nil {
		return c, err
	}
	for _, part := range parts[1:] {
		m := seriesForm.FindStringSubmatch(strings.TrimSpace(part))
		if m == nil {
			return c, fmt.Errorf(`%q is no series, as in go_goroutines, rate=http_requests_total or up{job="edge"}`, part)
		}
		s := Series{Name: m[1], Text: part, Metric: m[2], Labels: map[string]string{}}
		if s.Name == "" {
			s.Name = strings.ReplaceAll(s.Metric, ":", "_")
		}
		for rest := m[3]; strings.TrimSpace(rest) != ""; {
			label := labelForm.FindStringSubmatch(rest)
			if label == nil {
				return c, fmt.Errorf(`%q: %q is no label, as in code="200"`, part, rest)
			}
			s.Labels[label[1]] = strings.NewReplacer(`\"`, `"`, `\\`, `\`, `\n`, "\n").Replace(label[2])
			rest = rest[len(label[0]):]
		}
		c.Series = append(c.Series, s)
	}
	return c, nil
}

func address(text string) (string, error) {
	if text == Nodes {
		return Nodes, nil
	}
	if _, _, err := net.SplitHostPort(text); err == nil && !strings.Contains(text, "/") {
		return "http://" + text + "/metrics", nil
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return "", fmt.Errorf("%q is neither http://HOST:PORT/PATH, nor HOST:PORT, nor %s", text, Nodes)
	}
	return text, nil
}

// splitOutside splits at the commas that are not within braces.
func splitOutside(text string) (parts []string) {
	from, within := 0, false
	for i, r := range text {
		switch {
		case r == '{':
			within = true
		case r == '}':
			within = false
		case r == ',' && !within:
			parts, from = append(parts, text[from:i]), i+1
		}
	}
	return append(parts, text[from:])
}
