package tally

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/bench/benchtest"
	"github.com/stormwheel/stormwheel/bench/result"
)

func TestReadResultReadsWhatWasWrittenAndNothingElse(t *testing.T) {
	a := benchtest.Part(1, time.Unix(1000, 0).UTC(), 1)
	var b bytes.Buffer
	if err := a.WriteJSON(&b); err != nil {
		t.Fatal(err)
	}
	text := b.String()
	if got, err := result.Read(&b); err != nil || !reflect.DeepEqual(got, a) {
		t.Errorf("read %+v, %v", got, err)
	}
	for _, bad := range []string{"", "[]", `{"schema":"stormwheel.bench/v9"}`, strings.Replace(text, `"wall_s"`, `"wall"`, 1)} {
		if _, err := result.Read(strings.NewReader(bad)); result.ExitCode(err) != result.ExitUsage || strings.Contains(err.Error(), "\n") {
			t.Errorf("%.30q: %v", bad, err)
		}
	}
}
