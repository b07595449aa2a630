package kit

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
)

// replace puts text into the named section of a file: between the markers
// <!-- name:begin --> and <!-- name:end -->. A file or a section that is not there is
// made; what is around it stays.
func replace(file, name, text string) error {
	old, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return os.WriteFile(file, []byte(replaced(string(old), name, text)), 0o644)
}

func replaced(old, name, text string) string {
	begin, end := fmt.Sprintf("<!-- %s:begin -->", name), fmt.Sprintf("<!-- %s:end -->", name)
	text = begin + "\n" + strings.TrimSpace(text) + "\n" + end
	before, rest, found := strings.Cut(old, begin)
	if !found {
		if old == "" {
			old = "# Benchmarks\n\nEvery section is written by the command it names; nothing here is typed by hand.\n"
		}
		return strings.TrimRight(old, "\n") + "\n\n" + text + "\n"
	}
	if _, after, closed := strings.Cut(rest, end); closed {
		return before + text + after
	}
	return before + text + "\n"
}
