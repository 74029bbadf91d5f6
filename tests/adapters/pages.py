"""Printed pages as a person and a scanner get them: rendered by another program than the one that made them."""

import pypdfium2

from webapp.adapters import barcodes


def readable(pdf, scale=2.0):
    """The texts of all QR codes on all pages, rendered at ``scale`` times 72 dots an inch."""
    found = []
    with pypdfium2.PdfDocument(pdf) as document:
        for page in document:
            bitmap = page.render(scale=scale, grayscale=True)
            picture = memoryview(bytes(bitmap.buffer)).cast("B", (bitmap.height, bitmap.stride))
            found += barcodes.read(picture)
            bitmap.close()
            page.close()
    return found


def page_texts(pdf):
    """The text of each page in reading order, line ends as spaces."""
    texts = []
    with pypdfium2.PdfDocument(pdf) as document:
        for page in document:
            words = page.get_textpage()
            texts.append(" ".join(words.get_text_range().split()))
            words.close()
            page.close()
    return texts
