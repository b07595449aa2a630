package scenario

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/stormwheel/stormwheel/bench/nodes"
	"github.com/stormwheel/stormwheel/bench/result"
	"github.com/stormwheel/stormwheel/bench/scrape"
)

// parseScrapes reads --scrape.
func (p *Plan) parseScrapes() error {
	for _, text := range p.Scrapes {
		c, err := scrape.Parse(text)
		if err != nil {
			return result.Usage("--scrape: %w", err)
		}
		p.scrapes = append(p.scrapes, c)
	}
	return nil
}

// checkScraped returns a usage error about the first threshold on a series that no --scrape names. Where one names none,
// only its first reading tells.
func (p *Plan) checkScraped() error {
	names, usual := p.scrapedNames()
	for _, t := range p.Judged {
		path, _ := t.Parts()
		rest, scraped := strings.CutPrefix(path, "scraped.")
		if !scraped {
			continue
		}
		name, _, _ := strings.Cut(rest, ".")
		switch near := result.Nearest(name, names); {
		case len(p.scrapes) == 0:
			return result.Usage("threshold %q: nothing is scraped; say --scrape URL,%s", t.Expr, name)
		case usual || slices.Contains(names, name):
		case near != "":
			return result.Usage("threshold %q: no --scrape has %q; did you mean %q?", t.Expr, name, near)
		default:
			return result.Usage("threshold %q: no --scrape has %q; there are %s", t.Expr, name, strings.Join(names, ", "))
		}
	}
	return nil
}

// scrapedNames are those of the series; usual: more may be found at the first reading.
func (p *Plan) scrapedNames() (names []string, usual bool) {
	taken := map[string]int{}
	for _, c := range p.scrapes {
		places := 1
		if c.URL == scrape.Nodes {
			places = max(p.Spawn, len(p.Admins))
		}
		for range places {
			for _, s := range c.Series {
				taken[s.Name]++
			}
		}
		usual = usual || len(c.Series) == 0
	}
	for _, name := range slices.Sorted(maps.Keys(taken)) {
		names = append(names, name)
		for n := 2; n <= taken[name]; n++ {
			names = append(names, fmt.Sprintf("%s_%d", name, n))
		}
	}
	return names, usual
}

// OpenScrapes reads what is to be scraped for the first time.
func (p *Plan) OpenScrapes(ctx context.Context, servers *nodes.Servers) ([]*scrape.Target, error) {
	if len(p.scrapes) == 0 {
		return nil, nil
	}
	targets, err := scrape.Open(ctx, p.scrapes, servers.Admins())
	if err != nil {
		return nil, &result.ExitError{Code: result.ExitCode(err), Err: err}
	}
	for _, t := range p.Judged { // of the usual ones it is known only now
		path, _ := t.Parts()
		rest, scraped := strings.CutPrefix(path, "scraped.")
		name, _, _ := strings.Cut(rest, ".")
		if names := scrape.Names(targets); scraped && !slices.Contains(names, name) {
			return nil, result.Usage("threshold %q: %q is not scraped; there are %s", t.Expr, name, strings.Join(names, ", "))
		}
	}
	return targets, nil
}
