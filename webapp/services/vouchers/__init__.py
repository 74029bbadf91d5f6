"""Makes voucher codes, hands them out and moves them from state to state; every count moves with the codes it counts."""

from webapp.services.vouchers.allocation import AllocateVouchers, allocate
from webapp.services.vouchers.drawing import Mint
from webapp.services.vouchers.generation import (
    CHUNK,
    LARGEST_ORDER,
    GenerateVouchers,
    add,
    code_key,
    drawn,
    finish,
    generate,
)
from webapp.services.vouchers.moves import (
    MoveVoucher,
    RedeemVoucher,
    cancel,
    hold,
    let_go,
    reactivate,
    redeem,
    reveal,
    reverse,
    undo,
)
from webapp.services.vouchers.printing import PrintVouchers, count_printed, note_reward, note_type, order
from webapp.services.vouchers.taking_back import KIND as TAKING_BACK
from webapp.services.vouchers.taking_back import TakeBackCodes, finish_taking_back, start_taking_back, take_some_back
from webapp.services.vouchers.uploading import AddCodes, CheckedCodes, UploadCodes, add_uploaded, check_codes, upload

__all__ = [
    "CHUNK",
    "LARGEST_ORDER",
    "TAKING_BACK",
    "AddCodes",
    "AllocateVouchers",
    "CheckedCodes",
    "GenerateVouchers",
    "Mint",
    "MoveVoucher",
    "PrintVouchers",
    "RedeemVoucher",
    "TakeBackCodes",
    "UploadCodes",
    "add",
    "add_uploaded",
    "allocate",
    "cancel",
    "check_codes",
    "code_key",
    "count_printed",
    "drawn",
    "finish",
    "finish_taking_back",
    "generate",
    "hold",
    "let_go",
    "note_reward",
    "note_type",
    "order",
    "reactivate",
    "redeem",
    "reveal",
    "reverse",
    "start_taking_back",
    "take_some_back",
    "undo",
    "upload",
]
