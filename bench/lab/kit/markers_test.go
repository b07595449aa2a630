package kit

import (
	"strings"
	"testing"
	"time"
)

func TestASectionReplacesOnlyItself(t *testing.T) {
	const begin, end = "<!-- x:begin -->", "<!-- x:end -->"
	for _, test := range []struct{ name, old, want string }{
		{"no section", "# B\n\ntext\n", "# B\n\ntext\n\n" + begin + "\nnew\n" + end + "\n"},
		{"section", "a\n" + begin + "\nold\n" + end + "\nz\n", "a\n" + begin + "\nnew\n" + end + "\nz\n"},
		{"another's", "<!-- y:begin -->\ny\n<!-- y:end -->\n", "<!-- y:begin -->\ny\n<!-- y:end -->\n\n" + begin + "\nnew\n" + end + "\n"},
		{"unclosed", "a\n" + begin + "\nold", "a\n" + begin + "\nnew\n" + end + "\n"},
	} {
		if got := replaced(test.old, "x", "\nnew\n"); got != test.want {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
	if got := replaced("", "x", "new"); !strings.HasPrefix(got, "# Benchmarks\n") || !strings.HasSuffix(got, begin+"\nnew\n"+end+"\n") {
		t.Errorf("no file: got %q", got)
	}
}

func TestWhereNamesTheMachine(t *testing.T) {
	if got := where(time.Unix(0, 0), "", []string{"."}); !strings.Contains(got, "1970-01-01") || !strings.Contains(got, "go1.") {
		t.Errorf("where() = %q", got)
	}
}
