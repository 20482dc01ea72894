package support

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"time"
)

// File is one file of an archive.
type File struct {
	Name string // of plain characters, at most 90
	Text []byte
}

// Archive is a tar archive (POSIX ustar) in the form of gzip (RFC 1952), with all files below a directory; tar xzf reads it. It is not
// compressed: the package that compresses costs 41 kB of the executable (measured), and what is written here is bounded.
func Archive(dir string, files []File, at time.Time) []byte {
	const block = 512
	var tar bytes.Buffer
	for _, f := range files {
		header := make([]byte, block)
		copy(header, dir+"/"+f.Name)
		for place, field := range map[int]string{
			100: "0000600\x00", 108: "0000000\x00", 116: "0000000\x00", 124: fmt.Sprintf("%011o\x00", len(f.Text)), 136: fmt.Sprintf("%011o\x00", at.Unix()),
			148: "        ", 156: "0", 257: "ustar\x0000",
		} {
			copy(header[place:], field)
		}
		sum := 0
		for _, b := range header {
			sum += int(b)
		}
		copy(header[148:], fmt.Sprintf("%06o\x00 ", sum))
		tar.Write(header)
		tar.Write(f.Text)
		tar.Write(make([]byte, (block-len(f.Text)%block)%block))
	}
	tar.Write(make([]byte, 2*block))
	return zipped(tar.Bytes())
}

// zipped is data in the form of gzip, in blocks that are stored as they are (RFC 1951, 3.2.4).
func zipped(data []byte) []byte {
	const most = 1<<16 - 1
	out := []byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255}
	sum, size := crc32.ChecksumIEEE(data), len(data)
	for last := false; !last; {
		n := min(len(data), most)
		last = n == len(data)
		flag := byte(0)
		if last {
			flag = 1
		}
		out = binary.LittleEndian.AppendUint16(append(out, flag), uint16(n))
		out = append(binary.LittleEndian.AppendUint16(out, ^uint16(n)), data[:n]...)
		data = data[n:]
	}
	return binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(out, sum), uint32(size))
}
