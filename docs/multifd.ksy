meta:
  id: multifd
  title: One channel of a QEMU multifd migration
  application: QEMU
  file-extension: bin
  license: CC0-1.0
  endian: be
  encoding: ISO-8859-1
doc: |
  What a sender says on one multifd channel, from its init packet to the end of the stream: a channel-<n>.bin of a capture
  (docs/capture.md). What it means: docs/wire.md. Read it with the page size of the guest; without compression
  (method `none`) whole pages follow a header whatever next_packet_size says, which raw_pages tells.
doc-ref: https://gitlab.com/qemu-project/qemu/-/blob/v10.0.0/migration/multifd.h
params:
  - id: page_size
    type: u4
    doc: 4096, 16384 or 65536.
  - id: raw_pages
    type: bool
    doc: The method is none.
seq:
  - id: init
    type: init_packet
  - id: packets
    type: packet
    repeat: eos
types:
  init_packet:
    seq:
      - id: magic
        contents: [0x11, 0x22, 0x33, 0x44]
      - id: version
        contents: [0x00, 0x00, 0x00, 0x01]
      - id: uuid
        size: 16
        doc: The guest's, zeros without -uuid.
      - id: id
        type: u1
        doc: Number of the channel, from 0.
      - id: reserved
        size: 39
  packet:
    seq:
      - id: magic
        contents: [0x11, 0x22, 0x33, 0x44]
      - id: version
        contents: [0x00, 0x00, 0x00, 0x01]
      - id: flags
        type: u4
        doc: SYNC, the method under the dialect's mask, device state.
      - id: body
        type:
          switch-on: flags & 0x40
          cases:
            0x40: device_state
            _: ram
  ram:
    seq:
      - id: pages_alloc
        type: u4
        doc: Page slots that the sender has; 0 in a SYNC packet since 9.0.
      - id: normal_pages
        type: u4
        doc: Pages whose content follows.
      - id: next_packet_size
        type: u4
        doc: Bytes of the payload; stale before 9.0 where no normal page follows.
      - id: packet_num
        type: u8
        doc: Number of the packet over all channels; not unique before 9.0.
      - id: zero_pages
        type: u4
        doc: Pages of zeros; unused before 9.0.
      - id: reserved
        size: 28
      - id: ramblock
        type: strz
        size: 256
        doc: Name of the RAM block.
      - id: offset
        type: u8
        repeat: expr
        repeat-expr: 524288 / _root.page_size
        doc: One for each slot, bytes in the RAM block. Normal pages, zero pages, unused ones.
      - id: payload
        size: "normal_pages == 0 ? 0 : _root.raw_pages ? normal_pages * _root.page_size : next_packet_size"
  device_state:
    seq:
      - id: idstr
        type: strz
        size: 256
        doc: Name of the device.
      - id: instance_id
        type: u4
        doc: Which of the devices of that name.
      - id: next_packet_size
        type: u4
        doc: Bytes of device state that follow.
      - id: state
        size: next_packet_size
