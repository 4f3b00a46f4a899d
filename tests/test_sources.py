"""Reading files: whatever form a file comes in, the same rows come out, or one line says why not."""

import codecs
import datetime as dt
from decimal import Decimal

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tierbook import sources, texts
from tierbook.errors import InputError, ParamsError, TierbookError
from tierbook.params import ROOT, TableSource, Transactions

TEXT = "customer_id,ordered_at,amount,product\nc1,2026-01-02,10.50,电视\nc2,2026-01-03,-3,音箱\n"
ROWS = [("c1", "2026-01-02", "10.50", "电视"), ("c2", "2026-01-03", "-3", "音箱")]


@pytest.fixture
def read(engine, tmp_path):
    """Read files as transactions; returns the rows of all columns but the part, in the order of the first columns."""

    def call(*paths, rows=True, **spec):
        raw = sources.read(
            engine, "transactions", Transactions(path=list(map(str, paths)), **spec), tmp_path / "scratch"
        )
        if not rows:
            return raw
        return sorted(engine.execute(f"SELECT * EXCLUDE (_part) FROM {raw.sql}").fetchall(), key=str)

    return call


@pytest.fixture
def write(tmp_path):
    def call(content, name="orders.csv"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return call


def refusal(call, *arguments, **spec):
    with pytest.raises(TierbookError) as caught:
        call(*arguments, **spec)
    line = str(caught.value)
    assert "\n" not in line and len(line) < 900
    return line


# --- text files -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-le-bom", "utf-16-be-bom"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_encodings_and_line_ends_change_nothing(read, write, encoding, line_end):
    text = TEXT.replace("\n", line_end)
    marked = {"utf-16-le-bom": codecs.BOM_UTF16_LE, "utf-16-be-bom": codecs.BOM_UTF16_BE}
    content = marked.get(encoding, b"") + text.encode(encoding.removesuffix("-bom"))
    assert read(write(content)) == ROWS


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("last", ["", "\n"])
def test_the_last_line_counts_with_or_without_an_end(read, write, line_end, last):
    assert read(write((TEXT.strip() + last).replace("\n", line_end))) == ROWS


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("told", [True, False])
def test_delimiters_are_found_out_or_told(read, write, delimiter, told):
    spec = {"delimiter": delimiter} if told else {}
    assert read(write(TEXT.replace(",", delimiter)), **spec) == ROWS


def test_an_encoding_may_be_told(read, write):
    assert read(write(TEXT.encode("big5", "replace")), encoding="big5")[0][:3] == ROWS[0][:3]
    assert "encoding 'klingon' is unknown" in refusal(read, write(TEXT), encoding="klingon")
    assert "encoding 'rot13' is unknown" in refusal(read, write(TEXT), encoding="rot13")
    assert "not readable as utf-16" in refusal(read, write(b"a,b\n1,2,"), encoding="utf-16")
    assert "header line cannot be read" in refusal(
        read, write(TEXT.encode("gb18030").replace(b"product", "品".encode("gb18030"))), encoding="utf-8"
    )


def test_quoted_cells_hold_delimiters_quotes_and_line_breaks(read, write):
    path = write('customer_id,ordered_at,amount,product\nc1,2026-01-02,"1,000","a ""b""\nc"\r\n'.replace("\r\n", "\n"))
    assert read(path) == [("c1", "2026-01-02", "1,000", 'a "b"\nc')]


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_a_header_cell_may_hold_a_line_break(read, write, line_end):
    # The engine on its own loses every row here: it takes the break within the quotes for the end of lines.
    path = write(
        f'customer_id,ordered_at,amount,"the\nproduct"{line_end}c1,2026-01-02,1,x{line_end}c2,2026-01-03,2,y{line_end}'
    )
    assert [row[0] for row in read(path)] == ["c1", "c2"]


def test_blank_lines_before_the_header_are_no_rows(read, write):
    assert read(write("\n  \r\n".replace("\r", "") + TEXT)) == ROWS
    assert read(write(codecs.BOM_UTF8 + b"\r\n" + TEXT.replace("\n", "\r\n").encode())) == ROWS


def test_headers_lose_their_trailing_blanks_and_may_repeat(read, write):
    raw = read(write("customer_id ,ordered_at,  amount,note,note,,NOTE\nc1,2026-01-02,1,a,b,c,d\n"), rows=False)
    assert list(raw.types) == ["customer_id", "ordered_at", "amount", "note", "note_2", "column_6", "NOTE_3", "_part"]
    assert raw.columns == {"customer_id": "customer_id", "ordered_at": "ordered_at", "amount": "amount"}


def test_repeated_names_never_meet_a_name_that_is_there():
    assert texts.unique(["a", "a_2", "A", "a", ""]) == ["a", "a_2", "A_2_2", "a_3", "column_5"]


def test_names_may_stand_in_for_a_header_line(read, write):
    names = ["customer_id", "ordered_at", "amount"]
    rows = [("c1", "2026-01-02", "5")]
    assert read(write("c1,2026-01-02,5\n"), names=names) == rows
    assert read(write("Customer_ID,ordered_at,amount\nc1,2026-01-02,5\n"), names=names) == rows


def test_columns_may_stand_in_another_order(read, write):
    first = write("customer_id,ordered_at,amount\nc1,2026-01-02,1\n", "a.csv")
    second = write("amount,customer_id,channel,ordered_at\n2,c2,web,2026-01-03\n", "b.csv")
    assert read(first, second) == [("c1", "2026-01-02", "1", None), ("c2", "2026-01-03", "2", "web")]


def test_a_header_without_rows_is_a_table_without_rows(read, write):
    assert read(write("customer_id,ordered_at,amount\n")) == [] == read(write("customer_id,ordered_at,amount"))


def test_lines_that_are_too_short_are_padded(read, write):
    assert read(write("customer_id,ordered_at,amount\nc1,2026-01-02,1\n合计\n")) == [
        ("c1", "2026-01-02", "1"),
        ("合计", None, None),
    ]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("c1,2026-01-02,1\nc2,2026-01-02,2,3\n", [", line 3: Expected Number of Columns: 3 Found: 4"]),
        ('c1,2026-01-02,1\nc2,2026-01-02,"2\nc3,2026-01-02,3\n', [", line 3: a quote is opened and not closed"]),
        ('c1,2026-01-02,1\n"c2,2026-01-02,2\nc3,2026-01-02,3\n', [", line 3: a quote is opened and not closed"]),
        ('c1,2026-01-02,"1\n"\nc2,2026-01-02\n', [", line 3: Expected Number of Columns: 3 Found: 2"]),
        ("c1,2026-01-02,1\r\nc2,2026-01-02,2\n", ["lines end in different ways"]),
    ],
)
def test_a_line_that_cannot_be_read_is_named_with_its_file(engine, read, write, tmp_path, body, told):
    from tierbook import accounting, params

    raw = read(write("customer_id,ordered_at,amount\n" + body), rows=False)
    tree = params.parse({"report": {"name": "x"}, "as_of": "2026-10-31", "source": {"transactions": {"path": "x"}}})
    line = refusal(accounting.judge_transactions, engine, raw, tree, tmp_path / "t.parquet", None)
    assert "orders.csv" in line and all(part in line for part in told)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "the file is empty (0 bytes)"),
        (b"\n \n", "holds no header line"),
        (b"PK\x03\x04" + bytes(300), "not a text file"),
        (b"a,b\n\xff\xfe\xfd,\x81", "neither UTF-8, UTF-16 nor GB18030"),
        (b"PAR1 and then nothing of Parquet", "orders.csv"),
    ],
)
def test_files_that_hold_no_table_are_refused(read, write, content, told):
    line = refusal(read, write(content))
    assert told in line and "orders.csv" in line


def test_damage_far_into_a_utf8_file_names_its_line(read, write):
    # Line 1 is the header, so 40,000 good lines end with line 40,001; each of them is 22 bytes of UTF-8 or more.
    good = "".join(f"c{n},2026-01-02,1,电视\n" for n in range(40_000))
    path = write(
        f"customer_id,ordered_at,amount,product\n{good}".encode() + b"x,2026-01-02,1,\xe7\x94\nz,2026-01-02,1,z\n"
    )
    assert "line 40,002: not readable as UTF-8" in refusal(read, path)


def test_gb18030_that_first_shows_far_into_a_file_is_still_read(read, write):
    plain = "".join(f"c{n:06d},2026-01-02,1,TV\n" for n in range(100_000))  # 2.2 MB of ASCII
    path = write(f"customer_id,ordered_at,amount,product\n{plain}".encode() + "z,2026-01-02,1,音箱\n".encode("gb18030"))
    assert read(path)[-1] == ("z", "2026-01-02", "1", "音箱")


def test_a_character_cut_by_a_block_is_whole(write):
    # 音 takes three bytes in UTF-8: at least two of three files have it across the boundary of a 1 MiB block.
    for shift in range(3):
        path = write("a" * (shift + 1) + "音" * 400_000, f"{shift}.csv")
        assert texts.encoding_of(path) == "utf-8"
    assert texts.encoding_of(write(("音" * 600_000).encode("gb18030"))) == "gb18030"
    with pytest.raises(InputError, match="line 1: not readable as UTF-8"):
        texts.encoding_of(write(("电" * 20 + "音").encode()[:-1]))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    cells=st.lists(
        st.lists(
            st.text(st.characters(codec="utf-8", exclude_characters="\x00\ufeff"), max_size=6), min_size=3, max_size=3
        ),
        max_size=5,
    ),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
def test_whatever_stands_in_quoted_cells_comes_out_again(read, write, cells, encoding):
    quoted = "".join(",".join('"' + cell.replace('"', '""') + '"' for cell in row) + "\n" for row in cells)
    text = "customer_id,ordered_at,amount\n" + quoted
    found = read(write(text.encode(encoding)), encoding="auto" if encoding != "utf-8" else "utf-8")
    assert sorted(tuple(cell or "" for cell in row) for row in found) == sorted(map(tuple, cells))


# --- which files ------------------------------------------------------------------------------------------------------


def one(customer):
    return f"customer_id,ordered_at,amount\n{customer},2026-01-02,1\n"


def test_globs_stand_in_order_of_name_and_a_file_counts_once(write, tmp_path):
    for name in ("b.csv", "a.csv", "c.txt"):
        write(one(name), name)
    (tmp_path / "link.csv").symlink_to(tmp_path / "a.csv")
    (tmp_path / "sub").mkdir()
    spec = TableSource(path=[str(tmp_path / "c.txt"), str(tmp_path / "*.csv"), str(tmp_path / "sub" / ".." / "b.csv")])
    assert [p.name for p in sources.files_of(spec, "transactions")] == ["c.txt", "a.csv", "b.csv"]


def test_the_part_tells_the_files_apart_in_their_order(engine, read, write):
    raw = read(write(one("z"), "z.csv"), write(one("a"), "a.csv"), rows=False)
    parts = engine.execute(f"SELECT _part, customer_id FROM {raw.sql} ORDER BY _part").fetchall()
    assert [customer for _, customer in parts] == ["z", "a"] and "z.csv" in parts[0][0]


@pytest.mark.parametrize("name", ["a[1].csv", "a*.csv", "it's.csv", 'a"b.csv', "订单 (2).csv", "a?.txt"])
def test_names_that_look_like_patterns_are_names(read, write, name):
    write(one("wrong"), "a1.csv")
    assert read(write(one("right"), name))[0][0] == "right"


def test_relative_paths_start_at_the_project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert sources.files_of(TableSource(path="params/demo.yaml"), "x") == [ROOT / "params" / "demo.yaml"]


def test_missing_files_folders_and_no_path_are_told(read, tmp_path):
    assert "no file" in refusal(read, tmp_path / "nowhere.csv") and "no file" in refusal(read, tmp_path / "*.nothing")
    assert "is a folder; name its files" in refusal(read, tmp_path)
    with pytest.raises(ParamsError, match=r"source\.customers names no path"):
        sources.files_of(TableSource(), "customers")


# --- columns ----------------------------------------------------------------------------------------------------------


def test_a_wrong_column_name_says_which_exist_and_which_is_near(read, write):
    line = refusal(
        read, write("Customer ID,ordered_at,amount\nc,2026-01-01,1\n"), columns={"customer_id": "CustomerID"}
    )
    assert "no column 'CustomerID' for transactions.customer_id" in line
    assert "'Customer ID', 'ordered_at', 'amount'" in line and "nearest is 'Customer ID'" in line


def test_a_required_column_that_no_name_is_near(read, write):
    line = refusal(read, write("x,y\n1,2\n"))
    assert "no column 'customer_id'" in line and "none is near" in line
    assert "write source.transactions.columns: {customer_id: <column of the file>}" in line


def test_each_file_must_hold_the_required_columns(read, write):
    good, bad = write(one("a"), "good.csv"), write("buyer,ordered_at,amount\nb,2026-01-02,1\n", "bad.csv")
    assert "bad.csv: no column 'customer_id'" in refusal(read, good, bad)


def test_an_optional_column_that_was_mapped_must_stand_in_one_file(read, write):
    good, more = write(one("a"), "a.csv"), write("customer_id,ordered_at,amount,Kanal\nb,2026-01-02,1,web\n", "b.csv")
    assert read(good, more, columns={"channel": "Kanal"})[1][3] == "web"
    assert "no column 'Kanal' for transactions.channel" in refusal(read, good, columns={"channel": "Kanal"})


def test_headers_are_found_whatever_their_case_and_blanks(read, write):
    raw = read(write("CUSTOMER_ID, Ordered_At ,Amount\nc,2026-01-01,1\n"), rows=False, columns={"amount": " AMOUNT "})
    assert raw.columns == {"customer_id": "CUSTOMER_ID", "ordered_at": "Ordered_At", "amount": "Amount"}


def test_an_unknown_canonical_column_is_a_slip_in_the_params(read, write):
    assert "unknown column 'custmer_id'; nearest is 'customer_id'" in refusal(
        read, write(TEXT), columns={"custmer_id": "x"}
    )


def test_a_product_names_two_columns_that_exist(read, write):
    path = write("customer_id,ordered_at,qty,price\nc,2026-01-01,2,1.5\n")
    assert read(path, rows=False, columns={"amount": {"multiply": ["Qty", "price"]}}).columns["amount"] == (
        "qty",
        "price",
    )
    assert "nearest is 'price'" in refusal(read, path, columns={"amount": {"multiply": ["qty", "pric"]}})
    assert "only amounts and quantities" in refusal(read, path, columns={"customer_id": {"multiply": ["qty", "price"]}})


def test_a_column_called_part_is_not_the_download_unless_params_say_so(read, write):
    path = write("customer_id,ordered_at,amount,part\nc,2026-01-01,1,wheel\n")
    assert "part" not in read(path, rows=False).columns
    assert read(path, rows=False, columns={"part": "part"}).columns["part"] == "part"


# --- presets ----------------------------------------------------------------------------------------------------------


def test_params_win_over_their_preset(tmp_path):
    (tmp_path / "shop.yaml").write_text(
        "about: {en: A shop}\ncolumns: {customer_id: Buyer, amount: Paid}\nrefunds: set_aside\nduplicates: drop_exact"
    )
    spec = Transactions(path="a.csv", preset="shop", columns={"amount": "Due"}, refunds="net")
    full = sources.with_preset(spec, tmp_path)
    assert full.columns == {"customer_id": "Buyer", "amount": "Due"}
    assert (full.refunds, full.duplicates, full.path) == ("net", "drop_exact", ["a.csv"])


def test_an_unknown_preset_names_the_nearest():
    line = refusal(sources.with_preset, TableSource(path="a", preset="online_retial"))
    assert "'online_retial'" in line and "nearest is 'online_retail'" in line


def test_a_preset_with_a_slip_is_told_like_params(tmp_path):
    (tmp_path / "shop.yaml").write_text("colums: {a: b}")
    line = refusal(sources.with_preset, TableSource(path="a", preset="shop"), tmp_path)
    assert line == "preset shop.yaml: unknown key 'colums'; nearest is 'columns'"


@pytest.mark.parametrize("path", sorted(sources.PRESETS.glob("*.yaml")), ids=lambda path: path.stem)
def test_the_presets_of_the_project_are_valid(path):
    assert sources.with_preset(Transactions(path="a", preset=path.stem)).columns


# --- Parquet, Excel, blanks -------------------------------------------------------------------------------------------


def test_parquet_keeps_its_types(read, tmp_path):
    noon = dt.datetime(2026, 1, 2, 12, tzinfo=dt.UTC)
    table = pa.table(
        {
            "customer_id": pa.array([7, 8], pa.int64()),
            "ordered_at": pa.array([noon, noon], pa.timestamp("us", "UTC")),
            "amount": pa.array([Decimal("1.25"), Decimal("-2.50")], pa.decimal128(12, 2)),
            "order_id": pa.array([13085.0, None], pa.float64()),
        }
    )
    pq.write_table(table, tmp_path / "orders.parquet")
    raw = read(tmp_path / "orders.parquet", rows=False)
    assert {name: raw.types[name] for name in raw.columns} == {
        "customer_id": "BIGINT",
        "ordered_at": "TIMESTAMP WITH TIME ZONE",
        "amount": "DECIMAL(12,2)",
        "order_id": "DOUBLE",
    }


def test_parquet_is_known_by_its_first_bytes_and_mixes_with_text(read, write, tmp_path):
    pq.write_table(
        pa.table({"amount": [2], "customer_id": ["c2"], "ordered_at": ["2026-01-02"]}), tmp_path / "download"
    )
    assert read(tmp_path / "download", write(one("c1"))) == [("1", "c1", "2026-01-02"), ("2", "c2", "2026-01-02")]


def test_a_broken_parquet_file_is_named(read, write):
    assert "broken.parquet" in refusal(read, write(b"PAR1" + bytes(50) + b"PAR1", "broken.parquet"))


@pytest.fixture
def workbook(tmp_path):
    """An Excel file of two order sheets, one empty sheet and one with notes."""
    path = tmp_path / "orders.xlsx"
    columns = ["customer_id", "ordered_at", "amount", "active"]
    sheets = {
        "2025": [[13085, dt.datetime(2025, 12, 31, 23, 59, 59), 12.5, True], [7, dt.datetime(2025, 1, 2), 3, False]],
        "2026": [["c'1", "2026-01-02", "￥1,000", ""], [1234567890123456789, 46024.5, -3, None]],
    }
    with pd.ExcelWriter(path, engine="xlsxwriter") as out:
        for name, rows in sheets.items():
            pd.DataFrame(rows, columns=columns).to_excel(out, sheet_name=name, index=False)
        pd.DataFrame().to_excel(out, sheet_name="empty", index=False)
    return path


def test_excel_sheets_are_read_as_the_text_one_sees(read, workbook):
    assert read(workbook) == [
        ("c'1", "2026-01-02", "￥1,000", ""),
        ("1.23456789012346e+18", "46024.5", "-3", ""),  # Excel kept 15 digits of the 19: shown as damaged
        ("13085", "2025-12-31 23:59:59", "12.5", "True"),
        ("7", "2025-01-02", "3", "False"),
    ]


def test_excel_sheets_may_be_chosen_and_are_parts(engine, read, workbook):
    assert {row[0] for row in read(workbook, sheet=2025)} == {"13085", "7"}
    raw = read(workbook, rows=False)
    parts = [row[0] for row in engine.execute(f"SELECT DISTINCT _part FROM {raw.sql} ORDER BY 1").fetchall()]
    assert [part.split(" ", 1)[1] for part in parts] == ["orders.xlsx[2025]", "orders.xlsx[2026]"]


def test_excel_files_that_cannot_be_read_are_named(read, write, workbook, tmp_path):
    assert "2027" in refusal(read, workbook, sheet="2027")
    assert "cannot be read as an Excel file" in refusal(read, write(b"PK\x03\x04cut short", "cut.xlsx"))
    pd.DataFrame().to_excel(tmp_path / "none.xlsx", engine="xlsxwriter")
    assert "no sheet holds a header line" in refusal(read, tmp_path / "none.xlsx")


def test_an_excel_sheet_of_a_header_alone_is_a_table_without_rows(read, tmp_path):
    path = tmp_path / "head.xlsx"
    pd.DataFrame(columns=["customer_id", "ordered_at", "amount"]).to_excel(path, index=False, engine="xlsxwriter")
    assert read(path) == []


WORDS = {"delimiter": "whitespace", "names": ["customer_id", "ordered_at", "amount"]}


@pytest.mark.parametrize("header", ["", " customer_id  ordered_at amount\n", "CUSTOMER_ID ORDERED_AT AMOUNT \n"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_columns_set_apart_by_blanks_with_or_without_a_header(read, write, header, line_end):
    path = write((header + "  00001 19970101   11.77\n\n00002\t19970112 12.00  \n").replace("\n", line_end))
    assert read(path, **WORDS) == [("00001", "19970101", "11.77"), ("00002", "19970112", "12.00")]


def test_blanks_need_names_pad_short_lines_and_refuse_long_ones(read, write):
    assert "needs names" in refusal(read, write("1 2 3\n"), delimiter="whitespace")
    assert read(write("1 2\n"), **WORDS) == [("1", "2", None)]
    with pytest.raises(Exception, match="more than the 3 columns named, in the line: 1 2 3 4"):
        read(write("1 2 3 4\n"), **WORDS)


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030", "utf-16"])
def test_text_that_is_called_excel_is_read_as_text(read, write, encoding):
    # many systems write a tab-separated list and name it .xls
    text = "customer_id\tordered_at\tamount\tcategory\n张三\t2026-01-02\t12.50\t家电与数码配件\n"
    assert read(write(text.encode(encoding), "orders.xls")) == [("张三", "2026-01-02", "12.50", "家电与数码配件")]
