package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/stormwheel/stormwheel/cluster"
	"github.com/stormwheel/stormwheel/cluster/natsbus"
)

type clusterCmd struct {
	Status clusterStatusCmd `cmd:"" help:"Show the nodes of a cluster, as one of them sees it."`
	Leave  clusterLeaveCmd  `cmd:"" help:"Have a node leave for good: it hands over its clients and what waits in its store, and ends."`
}

type clusterStatusCmd struct {
	Admin string `default:"127.0.0.1:7001" placeholder:"HOST:PORT" help:"The --admin address of a node. Default ${default}."`
	JSON  bool   `name:"json" help:"As JSON, as GET /cluster has it."`
}

func (clusterStatusCmd) Help() string {
	return "Exits 1 if the node cannot be asked, or is of no cluster.\n\nExample: stormwheel cluster status --admin 127.0.0.1:7001"
}

func (c *clusterStatusCmd) Validate() error { return dialable("--admin", []string{c.Admin}) }

// statusTime bounds how long a node may take to answer.
const statusTime = 5 * time.Second

func (c *clusterStatusCmd) Run() error {
	body, err := askAdmin(c.Admin, "/cluster")
	if err != nil {
		return err
	}
	if c.JSON {
		_, err = os.Stdout.Write(body)
		return err
	}
	var st clusterAnswer
	if err := json.Unmarshal(body, &st); err != nil {
		return fmt.Errorf("--admin %s does not answer as a node does: %w", c.Admin, err)
	}
	return writeStatus(os.Stdout, st)
}

// maxAnswer bounds what a node may answer, in bytes.
const maxAnswer = 16 << 20

func askAdmin(admin, path string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), statusTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+admin+path, nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, fmt.Errorf("--admin %s: %w", admin, err)
	}
	defer resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusOK:
		return io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	case http.StatusNotFound:
		return nil, fmt.Errorf("--admin %s: that node is of no cluster (serve --cluster)", admin)
	}
	return nil, fmt.Errorf("--admin %s: %s", admin, resp.Status)
}

// clusterAnswer is what GET /cluster answers.
type clusterAnswer struct {
	cluster.Status
	Bus natsbus.Stats `json:"bus"`
}

// writeStatus writes a table, one line a node, and the peers with which there is no connection.
func writeStatus(out io.Writer, st clusterAnswer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "NODE\tSTATE\tFOR\tSESSIONS\tFREE\tADMITS\tLAG\tHEARD\tBEHIND\tADDRESS\tVERSION")
	for _, m := range st.Members {
		heard, behind := shortly(m.Heard)+" ago", fmt.Sprint(m.Behind)
		name, state := m.Node, m.State
		if m.Self {
			name, heard, behind = name+" *", "-", "-"
		}
		if m.Deaf {
			state += ", does not hear us"
		}
		sessions, places, admits := fmt.Sprint(m.Sessions), fmt.Sprint(m.Places), fmt.Sprintf("%.0f/s", m.AdmitRate)
		if m.State == "gone" || m.State == "left" {
			sessions, places, admits = "-", "-", "-" // what it said last is not so any more
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", name, state, shortly(m.For), sessions, places, admits,
			time.Duration(m.Lag*float64(time.Second)).Round(100*time.Microsecond), heard, behind, orDash(m.Address), orDash(m.Version))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for _, r := range st.Bus.Refusals {
		fmt.Fprintf(out, "No connection with %s: %s.\n", r.Peer, r.Why)
	}
	c := st.Counts
	_, err := fmt.Fprintf(out, "%d live; * asked. Logins claimed %d, of others seen %d, lost and asked for %d. Sessions replaced %d, superseded %d. Moved %d. Nodes gone %d times, left %d times.\n",
		st.Live, c.Claimed, c.ClaimsSeen, c.ClaimsLost, c.Replaced, c.Superseded, c.Moved, c.Downs, c.Leaves)
	return err
}

// shortly is a duration in seconds as people say it.
func shortly(seconds float64) string {
	d := time.Duration(seconds * float64(time.Second))
	switch {
	case d < 10*time.Second:
		return d.Round(100 * time.Millisecond).String()
	case d < time.Hour:
		return d.Round(time.Second).String()
	default:
		return strings.TrimSuffix(d.Round(time.Minute).String(), "0s")
	}
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
