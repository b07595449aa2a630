package result

import (
	"cmp"
	"slices"
	"strings"
)

// Nearest is which of the names somebody meant by a word that is none of them; empty if none is near. What
// differs in case and in _ for - is the same.
func Nearest(word string, names []string) string {
	plain := func(s string) string { return strings.ReplaceAll(strings.ToLower(s), "_", "-") }
	type candidate struct {
		name string
		far  int
	}
	var near []candidate
	for _, name := range names {
		far := edits(plain(word), plain(name))
		if far <= max(1, len(name)/3) || len(word) > 3 && strings.HasPrefix(plain(name), plain(word)) {
			near = append(near, candidate{name, far})
		}
	}
	if len(near) == 0 {
		return ""
	}
	return slices.MinFunc(near, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(a.far, b.far), cmp.Compare(a.name, b.name))
	}).name
}

// edits is how many letters are to be put in, left out, replaced, or swapped with the next, to make b of a.
func edits(a, b string) int {
	var before, last []int // rows of the table
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before, last, row = last, row, make([]int, len(b)+1)
		row[0] = i + 1
		for j := range len(b) {
			replace := last[j]
			if a[i] != b[j] {
				replace++
			}
			row[j+1] = min(last[j+1]+1, row[j]+1, replace)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
	}
	return row[len(b)]
}
