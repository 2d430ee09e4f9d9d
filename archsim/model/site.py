"""What stands around a machine: converters, hosts, cooling, water, carbon and money, as settings with their sources.

Defaults are made without validation, which would build five validators at each start; a test validates them.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field

from archsim.config import units
from archsim.config.checked import Checked
from archsim.model.price import Efficiency, Figure, Price, Ratio, plain, priced_in


class Factor(Figure):
    """By how much more is drawn outside than inside: at least 1."""

    value: float = Field(ge=1)
    low: float = Field(ge=1)
    high: float = Field(ge=1)


Overhead = Annotated[Factor, BeforeValidator(plain("a factor from 1 up"), json_schema_input_type=float | Factor)]
Water = Annotated[Price, *priced_in(units.WATER)]
Carbon = Annotated[Price, *priced_in(units.CARBON)]
Tariff = Annotated[Price, *priced_in(units.TARIFF)]
Hire = Annotated[Price, *priced_in(units.HIRE)]


class Site(Checked):
    """From chip to board, to server, to facility, and what a kilowatt-hour of the facility costs."""

    regulators: Efficiency = Field(
        default=Ratio.model_construct(
            value=0.9,
            low=0.8,
            high=0.95,
            boundary="board",
            grade="published",
            source="48 V to 1 V, 0.90 (arXiv:2309.10141, as quoted by others); high two stages of 0.979",
        ),
        description="chip over board: efficiency of voltage regulators",
    )
    server: Overhead = Field(
        default=Factor.model_construct(
            value=1.35,
            low=1.2,
            high=1.82,
            boundary="server",
            grade="assumed",
            source="hosts, memory, network, fans and power supplies (0.95) around accelerators; high is DGX H100's "
            "plate, 10.2 kW over 8 x 700 W; MLPerf v5.1 measured 10.40 kW around eight B200 of 1 kW",
        ),
        description="server over boards",
    )
    pue: Overhead = Field(
        default=Factor.model_construct(
            value=1.2,
            low=1.08,
            high=1.58,
            boundary="facility",
            grade="assumed",
            source="between Google's 1.09 to 1.11 and the Uptime Institute's mean of 1.55 to 1.58 (2022 and 2023)",
        ),
        description="facility over servers: power usage effectiveness",
    )
    water: Water = Field(
        default=Price.model_construct(
            value=0.51,
            low=0.1,
            high=2.5,
            boundary="facility",
            grade="derived",
            source="United States, 2023, on site: 17 billion gallons over 176 TWh at a PUE of 1.4 (LBNL's report of "
            "2024, as reported by others); high is LBNL's of 2016, low is cooling by air",
        ),
        description="litres per kWh of the servers (not of the facility), as The Green Grid defines it",
    )
    carbon: Carbon = Field(
        default=Price.model_construct(
            value=0.436,
            low=0.05,
            high=0.75,
            boundary="facility",
            grade="published",
            source="world's mean of generation in 2022: Ember, Global Electricity Review 2023, as quoted by the press; "
            "low is nuclear and hydropower, high is coal",
        ),
        description="CO2e per kWh of the facility",
    )
    electricity: Tariff = Field(
        default=Price.model_construct(
            value=0.08,
            low=0.04,
            high=0.2,
            boundary="facility",
            grade="published",
            source="0.0806: industrial customers of the United States in 2023 (EIA, as quoted by Statista); low is "
            "hydropower, high Western Europe",
        ),
        description="money per kWh of the facility",
    )
    hire: Hire | None = Field(
        default=None, description="money per hour of one device, beside electricity; none: not known"
    )
