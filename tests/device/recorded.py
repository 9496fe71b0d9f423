"""Hosts that work, put together from public listings and the kernel's documents; a test changes one thing in them."""

from __future__ import annotations

PF_DIR = "/sys/devices/pci0000:6b/0000:6b:00.0"
VF_DIR = "/sys/devices/pci0000:6b/0000:6b:00.1"

GEN4 = f"""
/sys/bus/pci/devices/0000:6b:00.0 -> ../../../devices/pci0000:6b/0000:6b:00.0
/sys/bus/pci/devices/0000:6b:00.1 -> ../../../devices/pci0000:6b/0000:6b:00.1
{PF_DIR}/vendor = 0x8086
{PF_DIR}/device = 0x4940
{PF_DIR}/driver -> ../../../bus/pci/drivers/4xxx
{PF_DIR}/iommu_group -> ../../../kernel/iommu_groups/311
{PF_DIR}/qat/state = up
{PF_DIR}/qat/cfg_services = dc
{PF_DIR}/sriov_totalvfs = 16
{PF_DIR}/sriov_numvfs = 1
{PF_DIR}/virtfn0 -> ../0000:6b:00.1
{VF_DIR}/vendor = 0x8086
{VF_DIR}/device = 0x4941
{VF_DIR}/physfn -> ../0000:6b:00.0
{VF_DIR}/driver -> ../../../bus/pci/drivers/vfio-pci
{VF_DIR}/iommu_group -> ../../../kernel/iommu_groups/312
/dev/vfio/vfio 0666
/dev/vfio/312 0660
/run/qat/qatmgr.sock 0660
listening /run/qat/qatmgr.sock
/etc/sysconfig/qat = ServicesEnabled=dc
/run/qat/qatmgr.pid = 1402
/proc/1402/cmdline = /usr/sbin/qatmgr --policy=0
"""
"""A Sapphire Rapids with qatlib's service running: addresses and names as in
Documentation/ABI/testing/debugfs-driver-qat_telemetry (Linux 6.18) and github.com/intel/qatlib/issues/83; VFs, group
and modes as qatlib's qat_init.sh leaves them; one VF of sixteen stands for all."""


C62X_FIRST = "/sys/devices/pci0000:17/0000:17:00.0/0000:18:00.0/0000:19:00.0"
C62X_SECOND = "/sys/devices/pci0000:17/0000:17:00.0/0000:18:01.0/0000:1a:00.0"
C62X_SECTION = "[SHIM]\\nNumberDcInstances = 1\\nNumProcesses = 16\\nLimitDevAccess = 0"

C62X = f"""
/sys/bus/pci/devices/0000:19:00.0 -> ../../../devices/pci0000:17/0000:17:00.0/0000:18:00.0/0000:19:00.0
{C62X_FIRST}/vendor = 0x8086
{C62X_FIRST}/device = 0x37c8
{C62X_FIRST}/driver -> ../../../../../bus/pci/drivers/c6xx
/sys/bus/pci/devices/0000:1a:00.0 -> ../../../devices/pci0000:17/0000:17:00.0/0000:18:01.0/0000:1a:00.0
{C62X_SECOND}/vendor = 0x8086
{C62X_SECOND}/device = 0x37c8
{C62X_SECOND}/driver -> ../../../../../bus/pci/drivers/c6xx
/dev/qat_adf_ctl 0660
/dev/qat_dev_processes 0660
/dev/usdm_drv 0660
{C62X_FIRST}/uio/uio0/name = qat_dev0
{C62X_SECOND}/uio/uio1/name = qat_dev1
/dev/uio0 0660
/dev/uio1 0660
/etc/c6xx_dev0.conf = [GENERAL]\\nServicesEnabled = cy;dc\\n{C62X_SECTION}
/etc/c6xx_dev1.conf = [GENERAL]\\nServicesEnabled = dc\\n{C62X_SECTION}
"""
"""A C62x with two functions under Intel's driver package: github.com/intel/QAT_Engine/issues/153 (addresses, type
c6xx) and issues/108 (``/dev/qat_dev_processes``), issues/165 (``/dev/uio0``); section of config_file/c6xx (QATzip
2.0.0)."""

GUEST = """
/sys/bus/pci/devices/0000:00:06.0 -> ../../../devices/pci0000:00/0000:00:06.0
/sys/devices/pci0000:00/0000:00:06.0/vendor = 0x8086
/sys/devices/pci0000:00/0000:00:06.0/device = 0x4941
/sys/devices/pci0000:00/0000:00:06.0/driver -> ../../../bus/pci/drivers/vfio-pci
/sys/devices/pci0000:00/0000:00:06.0/iommu_group -> ../../../kernel/iommu_groups/4
/dev/vfio/4 0660
/run/qat/qatmgr.sock 0660
listening /run/qat/qatmgr.sock
"""
"""A guest that was given one VF: there is no physical function, which qat_init.sh of qatlib provides for."""

IAX = "/sys/devices/pci0000:6a/0000:6a:02.0/iax1"

SPR = f"""
/sys/bus/pci/devices/0000:6a:02.0 -> ../../../devices/pci0000:6a/0000:6a:02.0
/sys/devices/pci0000:6a/0000:6a:02.0/vendor = 0x8086
/sys/devices/pci0000:6a/0000:6a:02.0/device = 0x0cfe
/sys/devices/pci0000:6a/0000:6a:02.0/driver -> ../../../bus/pci/drivers/idxd
/sys/bus/dsa/devices/iax1 -> ../../../devices/pci0000:6a/0000:6a:02.0/iax1
{IAX}/state = enabled
{IAX}/pasid_enabled = 1
{IAX}/version = 0x100
{IAX}/wq1.0/state = enabled
{IAX}/wq1.0/mode = shared
{IAX}/wq1.0/type = user
{IAX}/wq1.0/driver_name = user
{IAX}/wq1.1/state = disabled
{IAX}/wq1.1/mode = dedicated
{IAX}/wq1.1/type = none
/sys/class/iommu/dmar0 -> ../../devices/virtual/iommu/dmar0
/sys/devices/virtual/iommu/dmar0/intel-iommu/version = 6:0
/proc/cpuinfo = processor\t: 0\\nflags\t\t: fpu vme movdir64b enqcmd fsrm
/dev/iax/wq1.0 0660
"""
"""A Sapphire Rapids with queue 1.0 configured as in docs/devel/migration/qpl-compression.rst (QEMU 10.2; 6a:02.0,
iax1); names as idxd registers them in github.com/intel/idxd-config/issues/8, ``accel-config list`` in issues/40."""

ZIP = "/sys/devices/pci0000:74/0000:74:00.0/0000:75:00.0"
ZIP_UACCE = f"{ZIP}/uacce/hisi_zip-4"

KUNPENG = f"""
/sys/bus/pci/devices/0000:75:00.0 -> ../../../devices/pci0000:74/0000:74:00.0/0000:75:00.0
{ZIP}/vendor = 0x19e5
{ZIP}/device = 0xa250
{ZIP}/driver -> ../../../../bus/pci/drivers/hisi_zip
/sys/class/uacce/hisi_zip-4 -> ../../devices/pci0000:74/0000:74:00.0/0000:75:00.0/uacce/hisi_zip-4
{ZIP_UACCE}/api = hisi_qm_v2
{ZIP_UACCE}/flags = 1
{ZIP_UACCE}/available_instances = 256
{ZIP_UACCE}/algorithms = zlib\\ngzip\\ndeflate\\nlz77_zstd
/dev/hisi_zip-4 0660
"""
"""A Kunpeng 920: the listing of ``/sys/class/uacce`` in github.com/Linaro/uadk/issues/256; attributes of
Documentation/ABI/testing/sysfs-driver-uacce (Linux 6.18), algorithms of drivers/crypto/hisilicon/zip/zip_main.c (Linux
6.18)."""
