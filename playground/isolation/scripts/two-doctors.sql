-- Write skew: two doctors on call, each goes home because the other one stays
create table doctor (id int primary key, on_call int);
insert into doctor values (1, 1), (2, 1);

T1: begin;
T2: begin;
T1: select count(*) from doctor where on_call = 1;
T2: select count(*) from doctor where on_call = 1;
T1: update doctor set on_call = 0 where id = 1;
T2: update doctor set on_call = 0 where id = 2;
T1: commit;
T2: commit;
